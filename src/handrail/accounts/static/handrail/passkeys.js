// Passkeys: a form marked `data-passkey` ("get" or "create") asks the browser for one and sends its answer along.
// Every page with such a form has another way for who has no script or no passkey.

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** What the server asks, with bytes where the browser wants bytes. */
function asked({ publicKey }) {
  const known = (each) => ({ ...each, id: bytes(each.id) });
  return {
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      ...(publicKey.user && { user: known(publicKey.user) }),
      ...(publicKey.excludeCredentials && { excludeCredentials: publicKey.excludeCredentials.map(known) }),
      ...(publicKey.allowCredentials && { allowCredentials: publicKey.allowCredentials.map(known) }),
    },
  };
}

/** What the browser answers, as text. */
function answered(credential) {
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const response = credential.response;
  const sent = parts.filter((each) => response[each]).map((each) => [each, text(response[each])]);
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { ...Object.fromEntries(sent), transports: response.getTransports?.() ?? [] },
  };
}

async function optionsOf(form) {
  const place = form.dataset.passkeyFrom;
  if (!place) return JSON.parse(form.querySelector("script").textContent);
  const answer = await fetch(place, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("The service did not answer.");
  return (await answer.json()).request_options;
}

async function send(form) {
  const failed = form.querySelector("[role=alert]");
  failed.hidden = true;
  try {
    const credential = await navigator.credentials[form.dataset.passkey](asked(await optionsOf(form)));
    form.querySelector("[name$=credential]").value = JSON.stringify(answered(credential));
    form.submit();
  } catch {
    failed.hidden = false;
  }
}

if (window.PublicKeyCredential) {
  document.querySelectorAll("[data-without-passkeys]").forEach((each) => each.remove());
  for (const form of document.querySelectorAll("[data-passkey]")) {
    form.querySelector("[data-with-passkeys]").hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
  }
}
