// Warns before a page that was left alone goes, keeps what was typed in it, and then leaves it.
const dialog = document.getElementById("left-alone");
const { seconds, warningSeconds, stay, ended, keeps } = dialog.dataset;
const limit = 1000 * seconds;
const warning = 1000 * warningSeconds;
const tabs = new BroadcastChannel("handrail-used");
const forms = [...document.querySelectorAll("main form[method=post]")];
const atFirst = new Map(forms.map((form) => [form, written(form)]));

let usedAt = Date.now();
let askedAt = usedAt;
let isLeaving = false;
let isSending = false;

function written(form) {
  return new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string")).toString();
}

// The server keeps these for the person and does nothing else with them: it does not count as use.
async function keep() {
  const changed = forms.filter((form) => written(form) !== atFirst.get(form));
  await Promise.allSettled(
    changed.map((form) =>
      fetch(form.getAttribute("action") || location.href, {
        method: "POST",
        body: new URLSearchParams(written(form)),
        headers: { "X-Handrail-Keep": "yes" },
        keepalive: true,
      }),
    ),
  );
}

function use() {
  usedAt = askedAt = Date.now();
  if (dialog.open) dialog.close();
}

async function goOn() {
  askedAt = Date.now();
  const answer = await fetch(stay, { method: "HEAD", cache: "no-store" });
  if (answer.redirected) return leave();
  use();
  tabs.postMessage("used");
}

async function leave() {
  if (isLeaving) return;
  isLeaving = true;
  document.body.hidden = true;
  await Promise.race([keep(), new Promise((resolve) => setTimeout(resolve, 5000))]);
  location.replace(ended);
}

function look() {
  const left = usedAt + limit - Date.now();
  if (left <= 0) leave();
  else if (left <= warning && !dialog.open) {
    keep();
    dialog.showModal();
  }
}

tabs.onmessage = use;
tabs.postMessage("used");
dialog.addEventListener("submit", goOn);
dialog.addEventListener("cancel", goOn);
// Somebody who types is there.
addEventListener("input", () => {
  if (Date.now() - askedAt >= 60_000) goOn();
});
addEventListener("pageshow", look);
// Whoever has no account cannot come back as themselves: what they typed is kept however they leave.
if (keeps) {
  addEventListener("submit", () => (isSending = true));
  addEventListener("pagehide", () => isSending || isLeaving || keep());
}
setInterval(look, 1000);
