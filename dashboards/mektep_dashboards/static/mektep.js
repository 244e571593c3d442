// Convenience only: everything works without it. No library, no inline style text, no request to another host.
"use strict";

(() => {
  // A filter takes effect when it is chosen; the button stays for the keyboard.
  for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
    for (const select of form.querySelectorAll("select")) {
      select.addEventListener("change", () => form.requestSubmit());
    }
  }

  // The nearest mark of a chart says its value in a line above the chart.
  const bind = (root) => {
    for (const box of root.querySelectorAll("[data-readout]")) {
      const readout = box.querySelector(".readout");
      const show = (event) => {
        const bounds = box.getBoundingClientRect();
        let nearest = null;
        let least = 28 * 28;
        for (const mark of box.querySelectorAll(".run, .run-failed, .run-skipped")) {
          const place = mark.getBoundingClientRect();
          if (place.width === 0) continue;
          const dx = place.left + place.width / 2 - event.clientX;
          const dy = place.top + place.height / 2 - event.clientY;
          const distance = dx * dx + dy * dy;
          if (distance < least) [nearest, least] = [mark, distance];
        }
        readout.hidden = nearest === null;
        if (nearest === null) return;
        readout.textContent = nearest.querySelector("title").textContent;
        const most = bounds.width - readout.offsetWidth;
        const wanted = event.clientX - bounds.left - readout.offsetWidth / 2;
        readout.style.left = `${Math.max(0, Math.min(most, wanted))}px`;
      };
      box.addEventListener("pointermove", show);
      box.addEventListener("pointerdown", show);
      box.addEventListener("pointerleave", () => { readout.hidden = true; });
    }
  };
  bind(document);

  // The page asks for itself anew; what a reader has opened or is typing is left alone.
  const seconds = Number(document.body.dataset.refreshS);
  const busy = () =>
    document.hidden ||
    document.querySelector("main details[open]:not([data-born-open]), .readout:not([hidden])") !== null ||
    ["INPUT", "SELECT"].includes(document.activeElement?.tagName);
  const refresh = async () => {
    if (busy()) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(20000) });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = fresh.querySelector("main");
      if (main === null || busy()) return;
      const foot = fresh.querySelector(".foot");
      const y = window.scrollY;
      document.querySelector("main").replaceWith(main);
      document.querySelector(".foot").replaceWith(foot);
      window.scrollTo(0, y);
      bind(main);
      for (const form of main.querySelectorAll("form[data-submit-on-change]")) {
        for (const select of form.querySelectorAll("select")) {
          select.addEventListener("change", () => form.requestSubmit());
        }
      }
      if (fresh.body.dataset.refreshS !== document.body.dataset.refreshS) location.reload();
    } catch (error) {
      // The line of this reader may be down as well; the next round tries again.
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
    }
  };
  if (seconds > 0) setInterval(refresh, seconds * 1000);
})();
