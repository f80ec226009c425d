//! Hashing, with little memory so that it is quick.

use super::*;

fn passwords(kib: u32) -> Passwords {
    Passwords::new(&Choices { password_kib: kib, password_passes: 1, ..Choices::default() }).unwrap()
}

#[test]
fn by_default_it_is_argon2id_with_19_mib_two_passes_and_one_lane() {
    let passwords = Passwords::new(&Choices::default()).unwrap();
    let hash = passwords.hasher.hash("stands and trains").unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_eq!(hash.len(), passwords.nobody.len(), "nobody's looks the same");
}

#[tokio::test]
async fn the_right_password_is_right_and_another_is_not() {
    let passwords = passwords(8_192);
    let kept = passwords.hash("stands and trains").await.unwrap();
    assert_ne!(kept, passwords.hash("stands and trains").await.unwrap(), "each has its own salt");
    assert_eq!(passwords.check("stands and trains", Some(kept.clone())).await.unwrap(), Checked::Right(None));
    assert_eq!(passwords.check("stands and planes", Some(kept)).await.unwrap(), Checked::Wrong);
}

#[tokio::test]
async fn a_hash_of_other_settings_is_right_and_made_anew() {
    let kept = passwords(8_192).hash("stands and trains").await.unwrap();
    let today = passwords(9_000);
    let Checked::Right(Some(anew)) = today.check("stands and trains", Some(kept)).await.unwrap() else {
        panic!("it is right, and old")
    };
    assert!(anew.starts_with("$argon2id$v=19$m=9000,t=1,p=1$"), "{anew}");
    assert_eq!(today.check("stands and trains", Some(anew)).await.unwrap(), Checked::Right(None));
}

#[tokio::test]
async fn who_has_no_password_is_hashed_for_and_wrong() {
    let passwords = passwords(8_192);
    assert_eq!(passwords.check("stands and trains", None).await.unwrap(), Checked::Wrong);
}

#[tokio::test]
async fn a_longer_password_than_there_can_be_is_wrong_whatever_it_begins_with() {
    let passwords = passwords(8_192);
    let longest: String = "stand C03 ".repeat(13).chars().take(128).collect();
    let kept = passwords.hash(&longest).await.unwrap();
    assert_eq!(passwords.check(&longest, Some(kept.clone())).await.unwrap(), Checked::Right(None));
    assert_eq!(passwords.check(&format!("{longest}x"), Some(kept)).await.unwrap(), Checked::Wrong);
}

#[tokio::test]
async fn no_more_wait_than_there_is_room_for() {
    let passwords = passwords(8_192);
    let held: Vec<_> = (0..4).map(|_| passwords.running.try_acquire().unwrap()).collect();
    let places: Vec<_> = (0..4 * QUEUE).map(|_| passwords.waiting.try_acquire().unwrap()).collect();
    assert!(matches!(passwords.check("stands and trains", None).await, Err(PasswordError::Busy)));
    drop((held, places));
    assert_eq!(passwords.check("stands and trains", None).await.unwrap(), Checked::Wrong);
}
