// Runs before the first paint, so that a chosen theme does not flash: the page allows no inline script.
try {
  const chosen = localStorage.getItem("millstream.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset["theme"] = chosen;
} catch {
  // Storage may be closed to us; the system's theme is used.
}
