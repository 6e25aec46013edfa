// Shows and hides a password. The page does without it: the button is hidden until this runs.
for (const button of document.querySelectorAll("button.show")) {
  const field = document.getElementById(button.getAttribute("aria-controls"));
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  button.addEventListener("click", () => {
    show(button.getAttribute("aria-pressed") !== "true");
  });
  // Browsers remember what was typed into fields of text, but not into those of passwords.
  field.form.addEventListener("submit", () => show(false));
  button.hidden = false;
}
