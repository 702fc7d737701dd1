// Keeps the Overview up to date. The page works without it; then a reload does the same.
"use strict";

(() => {
  const live = document.getElementById("live");
  const notice = document.getElementById("notice");
  // How long to wait before the stream is opened again, in milliseconds.
  const AGAIN = 3000;

  // Only what has changed is touched, so that selections, focus and screen readers are left in peace.
  const setText = (node, text) => {
    if (node && node.textContent !== text) node.textContent = text;
  };
  const setCell = (node, cell) => {
    if (!node) return;
    setText(node, cell.text);
    if (node.className !== cell.class) node.className = cell.class;
    if (node.title !== cell.title) {
      if (cell.title === "") node.removeAttribute("title");
      else node.title = cell.title;
    }
  };
  const setHidden = (node, hidden) => {
    if (node && node.hidden !== hidden) node.hidden = hidden;
  };
  const setLive = (text, tone) => {
    setText(live, text);
    live.className = `live ${tone}`;
  };

  const showFact = (fact) => {
    setCell(document.querySelector(`[data-fact="${fact.id}"]`), fact.value);
    setText(document.querySelector(`[data-note="${fact.id}"]`), fact.note);
  };

  const showTable = (table) => {
    const node = document.getElementById(table.id);
    const labels = Array.from(node.tHead.rows[0].cells, (head) => head.textContent);
    const body = node.tBodies[0];
    table.rows.forEach((cells, index) => {
      const row = body.rows[index] ?? body.insertRow();
      cells.forEach((cell, column) => {
        let place = row.cells[column];
        if (!place) {
          place = row.insertCell();
          place.dataset.label = labels[column];
          place.append(document.createElement("span"));
        }
        setCell(place.firstElementChild, cell);
      });
    });
    while (body.rows.length > table.rows.length) body.deleteRow(-1);
    setHidden(node, table.rows.length === 0);
    setHidden(document.getElementById(`${table.id}-empty`), table.rows.length !== 0);
    const note = document.getElementById(`${table.id}-note`);
    setText(note, table.note);
    setHidden(note, table.note === "");
  };

  const show = (view) => {
    const away = view.notice !== "";
    setText(document.getElementById("notice-text"), view.notice);
    setHidden(notice, !away);
    document.body.classList.toggle("stale", away);
    if (away) {
      setLive("Waiting for the gateway", "warn");
      return;
    }
    // A page that was opened while the gateway was away has no places for what it says.
    if (!document.getElementById("strategies")) {
      location.reload();
      return;
    }
    setLive("Live", "good");
    view.facts.forEach(showFact);
    view.tables.forEach(showTable);
  };

  const follow = () => {
    const stream = new EventSource("/api/events");
    stream.addEventListener("overview", (event) => show(JSON.parse(event.data)));
    stream.addEventListener("error", () => {
      setLive("Connecting again…", "warn");
      document.body.classList.add("stale");
      // A stream that broke off opens itself again; one that was refused does not.
      if (stream.readyState !== EventSource.CLOSED) return;
      setTimeout(async () => {
        try {
          const answer = await fetch("/api/status", { cache: "no-store" });
          if (answer.status === 401) {
            location.reload();
            return;
          }
        } catch {
          // The console itself is away: it is tried again below.
        }
        follow();
      }, AGAIN);
    });
  };

  follow();
})();
