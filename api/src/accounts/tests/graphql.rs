//! People and keys over GraphQL.

use super::*;

const CREATE: &str = "mutation ($input: CreateUserInput!) { createUser(input: $input) {
    __typename
    ... on UserPayload { position commandId user { id actor username fullName email state roles { role site } } }
    ... on AccountRefusal { code message username site }
} }";

impl House {
    /// The data of an operation of somebody who holds this token.
    async fn graphql(&self, token: &str, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let request = Request::post("/graphql").header(header::AUTHORIZATION, format!("Bearer {token}"));
        let mut answer = self.send(request, Some(body)).await;
        assert!(answer.body.get("errors").is_none(), "{:#}", answer.body);
        answer.body["data"].take()
    }

    async fn token_of(&self, username: &str) -> String {
        tokens(&self.sign_in(username, PASSWORD).await).0
    }
}

#[tokio::test]
async fn an_administrator_makes_a_user_who_is_found_by_name_and_named_in_events_until_the_erasure() {
    let house = House::new().await;
    house.admin().await;
    let token = house.token_of("admin").await;
    let input =
        json!({ "username": "ramp.lead", "fullName": "Somebody of the ramp", "roles": [{ "role": "OPERATOR" }] });
    let made = &house.graphql(&token, CREATE, json!({ "input": input })).await["createUser"]["user"];
    assert_eq!(made["roles"], json!([{ "role": "OPERATOR", "site": null }]));
    assert_eq!((&made["username"], &made["state"]), (&json!("ramp.lead"), &json!("ACTIVE")));
    let again = house.graphql(&token, CREATE, json!({ "input": input })).await;
    assert_eq!(again["createUser"]["code"], "USERNAME_TAKEN");
    for (field, text) in [("email", "no address"), ("email", "@ramp.example"), ("note", "\u{7}")] {
        let unfit = json!({ "input": { "username": "other", "roles": [], field: text } });
        assert_eq!(house.graphql(&token, CREATE, unfit).await["createUser"]["code"], "TEXT_INVALID", "{text:?}");
    }
    let nowhere = json!({ "username": "other", "roles": [{ "role": "VIEWER", "site": "HKG" }] });
    let nowhere = house.graphql(&token, CREATE, json!({ "input": nowhere })).await;
    assert_eq!(
        (&nowhere["createUser"]["code"], &nowhere["createUser"]["site"]),
        (&json!("SITE_UNKNOWN"), &json!("HKG"))
    );

    let id = made["id"].as_str().unwrap();
    let user: UserId = id.parse().unwrap();
    house.accounts.set_password(user, PASSWORD, Subject::Open, order()).await.unwrap();
    house.token_of("ramp.lead").await;
    let named = "query ($actors: [String!]!) {
        actorNames(actors: $actors)
        events(last: 1) { nodes { type actor actorName } }
        users(first: 10) { totalCount nodes { id username state } } }";
    let actors = json!({ "actors": [format!("user:{id}"), "feed:hkia"] });
    let found = house.graphql(&token, named, actors.clone()).await;
    assert_eq!(found["actorNames"], json!(["Somebody of the ramp", null]));
    let last = &found["events"]["nodes"][0];
    assert_eq!((&last["type"], &last["actorName"]), (&json!("identity.signed_in"), &json!("Somebody of the ramp")));
    assert_eq!(found["users"]["totalCount"], 2);

    let erase = "mutation ($input: UserInput!) { eraseUser(input: $input) { ... on UserPayload { user { username state roles { role } } } } }";
    let erased = house.graphql(&token, erase, json!({ "input": { "user": id } })).await;
    assert_eq!(erased["eraseUser"]["user"], json!({ "username": null, "state": "ERASED", "roles": [] }));
    let after = house.graphql(&token, named, actors).await;
    assert_eq!(after["actorNames"], json!([null, null]));
}

#[tokio::test]
async fn a_user_is_changed_and_roles_come_and_go() {
    let house = House::new().await;
    let admin = house.admin().await;
    let user = house.user("ramp.lead", []).await;
    let token = house.token_of("admin").await;
    let change = "mutation ($input: ChangeUserInput!) { changeUser(input: $input) {
        ... on ChangedUserPayload { user { username fullName email } } ... on AccountRefusal { code } } }";
    let changed = json!({ "input": { "user": user, "username": "lead", "email": "lead@ramp.example" } });
    let changed = house.graphql(&token, change, changed).await;
    let expected = json!({ "username": "lead", "fullName": "ramp.lead of the house", "email": "lead@ramp.example" });
    assert_eq!(changed["changeUser"]["user"], expected);
    let taken = house.graphql(&token, change, json!({ "input": { "user": user, "username": "ADMIN" } })).await;
    assert_eq!(taken["changeUser"]["code"], "USERNAME_TAKEN");

    let grant = "mutation ($input: RoleOfInput!) { grantRole(input: $input) {
        ... on RolePayload { appended user { roles { role site } } } ... on AccountRefusal { code } } }";
    let revoke = grant.replace("grantRole", "revokeRole");
    let input = json!({ "input": { "user": user, "role": { "role": "AUDITOR" } } });
    let granted = house.graphql(&token, grant, input.clone()).await;
    assert_eq!(granted["grantRole"]["user"]["roles"], json!([{ "role": "AUDITOR", "site": null }]));
    assert_eq!(house.graphql(&token, grant, input.clone()).await["grantRole"]["appended"], 0);
    let revoked = house.graphql(&token, &revoke, input).await;
    assert_eq!(revoked["revokeRole"]["user"]["roles"], json!([]));
    let last = json!({ "input": { "user": admin, "role": { "role": "ADMIN" } } });
    assert_eq!(house.graphql(&token, &revoke, last).await["revokeRole"]["code"], "LAST_ADMINISTRATOR");
}

#[tokio::test]
async fn a_key_is_shown_once_and_listed_with_its_name() {
    let house = House::new().await;
    house.admin().await;
    let token = house.token_of("admin").await;
    let issue = "mutation ($input: IssueKeyInput!) { issueKey(input: $input) {
        ... on IssuedKeyPayload { secret key { id name state roles { role } } } ... on AccountRefusal { code days } } }";
    let input = |days: i64| {
        let expires_at = clock::now() + chrono::TimeDelta::days(days);
        let command_id = Uuid::from_u128(7 + u128::from(days.unsigned_abs()));
        json!({ "input": { "commandId": command_id, "name": "gate displays", "expiresAt": expires_at, "roles": [{ "role": "VIEWER" }] } })
    };
    let refused = house.graphql(&token, issue, input(1_000)).await;
    assert_eq!(refused["issueKey"], json!({ "code": "KEY_EXPIRY", "days": 366 }));
    let issued = house.graphql(&token, issue, input(30)).await;
    let secret = issued["issueKey"]["secret"].as_str().unwrap();
    assert!(secret.starts_with("vgk_"));
    assert_eq!(house.graphql(&token, issue, input(30)).await["issueKey"]["secret"], Value::Null, "it is shown once");
    let me = house.graphql(secret, "{ me { actor name user { id } } }", json!({})).await;
    let id = issued["issueKey"]["key"]["id"].as_str().unwrap();
    assert_eq!(me["me"], json!({ "actor": format!("key:{id}"), "name": "gate displays", "user": null }));
    let revoke = "mutation ($input: RevokeKeyInput!) { revokeKey(input: $input) { ... on RevokedKeyPayload { key { state name } } } }";
    let revoked = house.graphql(&token, revoke, json!({ "input": { "key": id } })).await;
    assert_eq!(revoked["revokeKey"]["key"], json!({ "state": "REVOKED", "name": null }));
    assert_eq!(house.bearer(secret).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_person_sees_who_they_are_and_changes_their_password() {
    let house = House::new().await;
    house.admin().await;
    let user = house.user("ramp.lead", [Grant::everywhere(Role::Viewer)]).await;
    let token = house.token_of("ramp.lead").await;
    let me = house.graphql(&token, "{ me { actor name user { username roles { role } } } }", json!({})).await;
    let expected = json!({ "username": "ramp.lead", "roles": [{ "role": "VIEWER" }] });
    assert_eq!((&me["me"]["actor"], &me["me"]["user"]), (&json!(format!("user:{user}")), &expected));
    let change = "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) {
        ... on UserPayload { user { id } } ... on AccountRefusal { code message } } }";
    for (present, next, code) in [
        ("stands and planes", "trains and stands", json!("PASSWORD_WRONG")),
        (PASSWORD, "short", json!("PASSWORD_UNFIT")),
        (PASSWORD, "trains and stands", Value::Null),
    ] {
        let input = json!({ "input": { "present": present, "next": next } });
        let answer = house.graphql(&token, change, input).await;
        assert_eq!(answer["changePassword"]["code"], code, "{answer:#}");
    }
    assert_eq!(house.sign_in("ramp.lead", "trains and stands").await.status, StatusCode::OK);
}

#[tokio::test]
async fn failed_sign_ins_are_listed_with_who_was_meant() {
    let house = House::new().await;
    let user = house.admin().await;
    house.sign_in("admin", "stands and planes").await;
    house.sign_in("nobody", PASSWORD).await;
    let token = house.token_of("admin").await;
    let listed = house.graphql(&token, "{ failedSignIns { user userName method reason address } }", json!({})).await;
    let expected = json!([
        { "user": null, "userName": null, "method": "password", "reason": "unknown_name", "address": "127.0.0.1" },
        { "user": user, "userName": "admin of the house", "method": "password", "reason": "wrong_password",
          "address": "127.0.0.1" },
    ]);
    assert_eq!(listed["failedSignIns"], expected);
}
