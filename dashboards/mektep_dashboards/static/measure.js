// The browser's own test: NDT7 over WebSocket, and where a network lets none through, plain HTTP as LibreSpeed has it.
// The figure is the agent's `full_length/1`: the first fifth of the time is left out, nothing is added.
"use strict";
(() => {
  const root = document.getElementById("measure");
  const start = document.getElementById("measure-start");
  const notice = document.getElementById("measure-notice");
  const way = document.getElementById("measure-way");
  const TEST_S = () => Number(root.dataset.seconds), LOOK_MS = 100, RAMP = 0.2, GIVE_UP_MS = 13000, CONNECT_MS = 7000, STREAMS = 3;
  const LARGEST_MESSAGE = 1 << 20, LARGEST_POST = 16e6, POST_S = 1, PINGS = 10;

  class Busy extends Error {}
  class NoSocket extends Error {}

  const now = () => performance.now() / 1000;
  const digits = (value) => (value < 10 ? 2 : value < 100 ? 1 : 0);
  // Not every browser knows how numbers are written in Kazakh.
  const shown = (value) => value.toFixed(digits(value)).replace(".", root.dataset.decimal);

  function rateMbps(points) {
    const end = points[points.length - 1];
    const steady = points.filter((point) => point.s >= RAMP * end.s);
    const begin = steady.length > 1 && steady[0].s < end.s ? steady[0] : { s: 0, bytes: 0 };
    return ((end.bytes - begin.bytes) * 8) / (end.s - begin.s) / 1e6;
  }

  function card(name) {
    const box = document.getElementById("measure-" + name);
    const part = (kind) => box.querySelector(".measure-" + kind);
    return {
      say(state) { part("state").textContent = root.dataset[state]; },
      value(value) { part("value").textContent = value === null ? "–" : shown(value); },
      progress(ratio) { part("bar").style.width = Math.round(100 * Math.min(1, ratio)) + "%"; },
    };
  }

  function socketTest(direction, watch) {
    const address = (location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/ndt/v7/" + direction;
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(address, "net.measurementlab.ndt.v7");
      socket.binaryType = "arraybuffer";
      const points = [];
      let began = null, bytes = 0, timer = null, sender = null;
      const limit = setTimeout(() => finish(), CONNECT_MS);
      const over = setTimeout(() => finish(), CONNECT_MS + GIVE_UP_MS);
      const finish = () => {
        for (const one of [limit, over, timer, sender]) { clearTimeout(one); }
        socket.onclose = socket.onmessage = socket.onerror = null;
        socket.close();
        if (points.length > 1 && points[points.length - 1].bytes > 1024) { resolve(points); } else { reject(new NoSocket()); }
      };
      socket.onopen = () => {
        clearTimeout(limit);
        began = now();
        const look = () => {
          const elapsed = now() - began;
          if (direction === "download") { points.push({ s: elapsed, bytes }); }
          if (points.length > 1) { watch(points, elapsed / TEST_S()); }
          if (elapsed >= TEST_S() + 0.5) { finish(); } else { timer = setTimeout(look, LOOK_MS); }
        };
        timer = setTimeout(look, LOOK_MS);
        if (direction === "upload") { send(); }
      };
      socket.onmessage = (event) => {
        if (typeof event.data !== "string") { bytes += event.data.byteLength; return; }
        bytes += direction === "download" ? event.data.length : 0;
        if (direction === "download") { return; }
        const told = JSON.parse(event.data);
        const arrived = told.AppInfo ? told.AppInfo.NumBytes : told.TCPInfo && told.TCPInfo.BytesReceived;
        const since = told.AppInfo ? told.AppInfo.ElapsedTime : told.TCPInfo && told.TCPInfo.ElapsedTime;
        const last = points.length ? points[points.length - 1] : { s: 0, bytes: 0 };
        if (arrived >= last.bytes && since / 1e6 > last.s) { points.push({ s: since / 1e6, bytes: arrived }); }
      };
      socket.onclose = () => (began === null ? reject(new NoSocket()) : finish());
      let load = randomBytes(1 << 13), sent = 0;
      const send = () => {
        if (socket.readyState !== WebSocket.OPEN || now() - began >= TEST_S()) { return; }
        while (socket.bufferedAmount < 4 * load.length && sent - socket.bufferedAmount < Number.MAX_SAFE_INTEGER) {
          if (load.length < LARGEST_MESSAGE && load.length <= (sent - socket.bufferedAmount) / 16) {
            load = randomBytes(2 * load.length);
          }
          socket.send(load);
          sent += load.length;
        }
        sender = setTimeout(send, 5);
      };
    });
  }

  function httpTest(direction, watch) {
    return new Promise((resolve, reject) => {
      const points = [], began = now(), running = new Set();
      const counts = new Array(STREAMS).fill(0), current = new Array(STREAMS).fill(0);
      let over = false, failure = null;
      const total = () => counts.reduce((sum, one) => sum + one, 0) + current.reduce((sum, one) => sum + one, 0);
      const finish = () => {
        over = true;
        clearInterval(timer);
        for (const request of running) { request.abort(); }
        if (points.length > 1 && points[points.length - 1].bytes > 1024) { resolve(points); } else { reject(failure || new Error()); }
      };
      const timer = setInterval(() => {
        const elapsed = now() - began;
        points.push({ s: elapsed, bytes: total() });
        if (points.length > 1) { watch(points, elapsed / TEST_S()); }
        if (elapsed >= TEST_S() || failure) { finish(); }
      }, LOOK_MS);
      const once = (stream, post) => {
        const request = new XMLHttpRequest(), at = now();
        running.add(request);
        const name = direction === "download" ? "garbage?ckSize=100" : "empty?";
        request.open(direction === "download" ? "GET" : "POST", "/backend/" + name + "&r=" + Math.random());
        request.responseType = "arraybuffer";
        if (direction === "download") { request.onprogress = (event) => { current[stream] = event.loaded; }; }
        request.onerror = () => { running.delete(request); failure = new Error(); };
        request.onload = () => {
          running.delete(request);
          if (request.status !== 200) { failure = request.status === 503 ? new Busy() : new Error(); return; }
          // An upload's bytes count when the server has answered: before, they may lie in this computer's buffers.
          counts[stream] += direction === "download" ? request.response.byteLength : post;
          current[stream] = 0;
          const next = Math.max(1 << 14, Math.min(4 * post, (post * POST_S) / Math.max(now() - at, 1e-3), LARGEST_POST));
          if (!over && !failure) { once(stream, Math.round(next)); }
        };
        request.send(direction === "download" ? null : new Blob([randomBytes(post)]));
      };
      for (let stream = 0; stream < STREAMS; stream += 1) { once(stream, 1 << 14); }
    });
  }

  function randomBytes(count) {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at += 65536) { crypto.getRandomValues(bytes.subarray(at, Math.min(count, at + 65536))); }
    return bytes;
  }

  async function latency(watch) {
    const times = [];
    for (let ping = 0; ping <= PINGS; ping += 1) {
      const began = performance.now();
      const answer = await fetch("/backend/empty?r=" + Math.random(), { cache: "no-store" });
      if (!answer.ok) { throw new Error(); }
      await answer.arrayBuffer();
      // The first one opens the connection, which takes a round trip of its own.
      if (ping > 0) { times.push(performance.now() - began); }
      watch(times, ping / PINGS);
    }
    return median(times);
  }

  function median(times) {
    const sorted = [...times].sort((one, other) => one - other);
    return sorted.length ? sorted[Math.floor(sorted.length / 2)] : null;
  }

  async function direction(name, ways) {
    const box = card(name);
    box.say("running");
    const watch = (points, ratio) => { box.value(rateMbps(points)); box.progress(ratio); };
    try {
      let points;
      try {
        points = ways.socket ? await socketTest(name, watch) : await httpTest(name, watch);
      } catch (trouble) {
        if (!(trouble instanceof NoSocket)) { throw trouble; }
        ways.socket = false;
        points = await httpTest(name, watch);
      }
      box.value(rateMbps(points));
      box.progress(1);
      box.say("done");
    } catch (trouble) {
      box.value(null);
      box.say("failed");
      throw trouble;
    }
  }

  async function run() {
    start.disabled = true;
    notice.hidden = true;
    way.textContent = "";
    const ways = { socket: "WebSocket" in window };
    for (const name of ["download", "upload", "latency"]) {
      const box = card(name);
      box.value(null);
      box.progress(0);
      box.say("waiting");
    }
    try {
      const box = card("latency");
      box.say("running");
      const found = await latency((times, ratio) => { box.value(median(times)); box.progress(ratio); });
      box.value(found);
      box.say("done");
      await direction("download", ways);
      await direction("upload", ways);
      way.textContent = root.dataset[ways.socket ? "ndt7" : "http"];
      root.dataset.ended = "done";
    } catch (trouble) {
      notice.textContent = root.dataset[trouble instanceof Busy ? "busy" : "broken"];
      notice.hidden = false;
      root.dataset.ended = "failed";
    }
    start.disabled = false;
  }

  start.disabled = false;
  start.addEventListener("click", run);
})();
