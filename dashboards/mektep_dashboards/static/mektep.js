// Convenience only: everything works without it. No library, no inline style text, no request to another host.
"use strict";

(() => {
  const NEAR_PX = 28;
  const DEADLINE_MS = 20_000;

  // A filter takes effect when it is chosen; the button stays for the keyboard.
  const submitOnChange = (root) => {
    for (const select of root.querySelectorAll("form[data-submit-on-change] select")) {
      select.addEventListener("change", () => select.form.requestSubmit());
    }
  };

  const nearestMark = (box, x, y) => {
    let nearest = null;
    let least = NEAR_PX * NEAR_PX;
    for (const mark of box.querySelectorAll(".run, .run-failed, .run-skipped")) {
      const place = mark.getBoundingClientRect();
      if (place.width === 0) continue;
      const dx = place.left + place.width / 2 - x;
      const dy = place.top + place.height / 2 - y;
      if (dx * dx + dy * dy < least) {
        nearest = mark;
        least = dx * dx + dy * dy;
      }
    }
    return nearest;
  };

  // The nearest mark of a chart says its value in a line above the chart.
  const readOut = (root) => {
    for (const box of root.querySelectorAll("[data-readout]")) {
      const readout = box.querySelector(".readout");
      const show = (event) => {
        const mark = nearestMark(box, event.clientX, event.clientY);
        readout.hidden = mark === null;
        if (mark === null) return;
        readout.textContent = mark.querySelector("title").textContent;
        const bounds = box.getBoundingClientRect();
        const wanted = event.clientX - bounds.left - readout.offsetWidth / 2;
        readout.style.left = `${Math.max(0, Math.min(bounds.width - readout.offsetWidth, wanted))}px`;
      };
      box.addEventListener("pointermove", show);
      box.addEventListener("pointerdown", show);
      box.addEventListener("pointerleave", () => { readout.hidden = true; });
    }
  };

  const liven = (root) => {
    submitOnChange(root);
    readOut(root);
  };

  // What a reader has opened, points at or is typing is left alone.
  const busy = () =>
    document.hidden ||
    document.querySelector("main details[open]:not([data-born-open]), .readout:not([hidden])") !== null ||
    ["INPUT", "SELECT"].includes(document.activeElement?.tagName);

  const refresh = async () => {
    const answer = await fetch(location.href, { signal: AbortSignal.timeout(DEADLINE_MS) });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (busy()) return;
    const main = fresh.querySelector("main");
    const top = window.scrollY;
    document.querySelector("main").replaceWith(main);
    document.querySelector(".foot").replaceWith(fresh.querySelector(".foot"));
    window.scrollTo(0, top);
    document.body.dataset.refreshS = fresh.body.dataset.refreshS;
    liven(main);
  };

  // The page asks for itself anew, sooner while it waits for a school's first test.
  const keepFresh = () => {
    const seconds = Number(document.body.dataset.refreshS);
    if (!(seconds > 0)) return;
    setTimeout(async () => {
      try {
        if (!busy()) await refresh();
      } catch (error) {
        // The reader's own line may be down as well: the next round tries again.
        if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
      } finally {
        keepFresh();
      }
    }, seconds * 1000);
  };

  liven(document);
  keepFresh();
})();
