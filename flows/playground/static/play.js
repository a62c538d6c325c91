// Dragging, and cells that are saved when they are left; without a script the buttons do the same.
"use strict";

const drag = document.getElementById("drag");

for (const card of document.querySelectorAll(".card[data-lead]")) {
  card.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData("text/plain", card.dataset.lead);
    event.dataTransfer.effectAllowed = "move";
  });
}
for (const list of document.querySelectorAll(".list")) {
  list.addEventListener("dragover", (event) => {
    event.preventDefault();
    list.classList.add("over");
  });
  list.addEventListener("dragleave", () => list.classList.remove("over"));
  list.addEventListener("drop", (event) => {
    event.preventDefault();
    list.classList.remove("over");
    drag.elements.lead.value = event.dataTransfer.getData("text/plain");
    drag.elements.list.value = list.dataset.list;
    if (/^\d+$/.test(drag.elements.lead.value)) drag.requestSubmit();
  });
}

for (const cell of document.querySelectorAll(".cells input, .cells select")) {
  cell.addEventListener("change", () => cell.form.requestSubmit());
}

// Every step is a new page: it is shown where the last one was left.
const PLACE = "leadsync playground";
window.addEventListener("pagehide", () => {
  const focused = document.activeElement ? document.activeElement.id : "";
  sessionStorage.setItem(PLACE, JSON.stringify({ y: window.scrollY, focused }));
});
const place = JSON.parse(sessionStorage.getItem(PLACE) || "null");
if (place) {
  const before = document.getElementById(place.focused);
  if (before) before.focus({ preventScroll: true });
  window.scrollTo({ top: place.y, behavior: "instant" });
}
