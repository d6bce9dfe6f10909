// A button beside each text that is there to be copied.
for (const text of document.querySelectorAll("[data-copied]")) {
  const button = document.createElement("button");
  const said = document.createElement("span");
  button.type = "button";
  button.className = "govuk-button govuk-button--secondary app-button--small";
  button.textContent = `Copy ${text.dataset.copied}`;
  said.className = "govuk-body-s";
  said.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      said.textContent = " Copied";
    } catch {
      getSelection().selectAllChildren(text);
      said.textContent = " Selected: press Ctrl and C";
    }
  });
  text.after(button, said);
}
