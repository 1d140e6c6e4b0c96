"""The script of the page, which searches columns by name. The content security policy allows it by its hash.

The page is complete without it: a viewer that runs no scripts shows no search box.
"""

from __future__ import annotations

SCRIPT = """
(() => {
  const box = document.getElementById("find"), found = document.getElementById("found");
  const items = [...document.querySelectorAll("#columns tbody tr, article")].map(
    (item) => [item, item.querySelector("th, h3").textContent.toLowerCase()]);
  const folds = [...document.querySelectorAll("details")].map((fold) => [fold, fold.open]);
  box.addEventListener("input", () => {
    const words = box.value.trim().toLowerCase();
    let rows = 0;
    for (const [item, name] of items) {
      item.hidden = !name.includes(words);
      rows += !item.hidden && item.tagName === "TR";
    }
    for (const [fold, open] of folds) fold.open = open || words !== "";
    found.textContent = words ? rows + (rows === 1 ? " column" : " columns") : "";
  });
  box.closest("p").hidden = false;
})();
""".strip()
