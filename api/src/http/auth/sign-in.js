// Signs in with a username and password, or with the one-time link that stands behind # in the address.

const form = document.getElementById("sign-in");
const told = document.getElementById("told");
const button = form.querySelector("button");

// Only a path of this server: nobody is sent elsewhere after signing in.
function next() {
  const wanted = new URLSearchParams(location.search).get("next") ?? "";
  // Asked of the browser itself: what looks like a path may be read as another server (`/\t/evil.example`).
  const url = URL.canParse(wanted, location.origin) ? new URL(wanted, location.origin) : undefined;
  return wanted.startsWith("/") && url?.origin === location.origin ? url.pathname + url.search : "/graphql";
}

async function send(path, body) {
  button.disabled = true;
  told.textContent = "";
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) {
      location.replace(next());
      return;
    }
    const wait = Number(answer.headers.get("Retry-After"));
    const problem = await answer.json().catch(() => undefined);
    const message = problem?.errors?.[0]?.message ?? "Signing in failed.";
    told.textContent = wait > 0 ? `${message}. Try again in ${wait} s.` : message;
  } catch {
    told.textContent = "The server cannot be reached.";
  }
  button.disabled = false;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { username, password } = form.elements;
  send("/auth/sign-in", { username: username.value, password: password.value });
});

const link = new URLSearchParams(location.hash.slice(1)).get("link");
if (link) {
  history.replaceState(null, "", location.pathname + location.search);
  send("/auth/link", { link });
}
