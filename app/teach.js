// A click on a picture of a person, or on the cross of an example, goes to Python. The content of
// the element changes; the element stays. Triggers: 'pick', 'drop'.
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pick], [data-remove]");
  if (!button || button.disabled) return;
  button.disabled = true; // a second click would mean the next one
  setTimeout(() => { button.disabled = false; }, 3000); // where nothing came of it
  if (button.dataset.pick) trigger("pick", { person: button.dataset.pick });
  else trigger("drop", { index: Number(button.dataset.remove) });
});
