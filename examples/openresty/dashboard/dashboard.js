// Extends the page that the server has rendered: the whole list in virtual rows, search while typing, and changes as they happen.
"use strict";
(() => {
  const ID = 0, CUSTOMER = 1, GROUP = 2, PROVIDER = 3, STATE = 4, CONNECTION = 5, OPERATION = 6, UPDATED = 7;
  const SEVERITY = { unhealthy: 1, refused: 2, unknown: 3, unverified: 4, healthy: 5 };
  const SORTED_BY = { state: STATE, customer: CUSTOMER, provider: PROVIDER, connection: CONNECTION, operation: OPERATION, updated: UPDATED };
  const OVERSCAN = 8; // rows drawn above and below what is seen
  const TOASTS = 3;

  const find = (selector) => document.querySelector(selector);
  const body = find("#rows"), form = find("#filter"), dialog = find("#dialog"), answer = find("#answer"), changes = find("#changes");
  const blank = find("#row").content.firstElementChild;
  const words = Object.fromEntries([...form.elements.state.options].map((o) => [o.value, o.textContent]));
  const params = new URLSearchParams(location.search);
  const view = {};
  for (const name of ["q", "state", "provider", "sort", "dir"]) view[name] = params.get(name) || "";

  let version = document.body.dataset.version, rows = [], shown = [], known = new Map(), fresh = new Set(), ready = false;

  // --- the list ---------------------------------------------------------------------------------------------------

  // Letters with marks count as those without; page.lua does the same.
  const fold = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();

  // The texts to search and to sort by are computed once per row.
  const keys = new WeakMap();
  function keysOf(row) {
    let known = keys.get(row);
    if (!known) {
      known = row.map(fold);
      known.text = [ID, CUSTOMER, GROUP, PROVIDER].map((place) => known[place]).join("\n");
      known[STATE] = SEVERITY[row[STATE]] + known[CUSTOMER];
      keys.set(row, known);
    }
    return known;
  }

  function sort() {
    const sign = view.dir === "desc" ? -1 : 1, place = SORTED_BY[view.sort] ?? STATE;
    const by = rows.map((row) => [keysOf(row)[place], row[ID], row]);
    by.sort((a, b) => a[0] < b[0] ? -sign : a[0] > b[0] ? sign : a[1] < b[1] ? -sign : sign);
    rows = by.map((entry) => entry[2]);
  }

  let sortedFor = null;
  function choose() {
    const wanted = view.sort + " " + view.dir;
    if (sortedFor !== wanted) {
      sort();
      sortedFor = wanted;
    }
    const text = fold(view.q);
    shown = rows.filter((row) => (!view.state || row[STATE] === view.state) && (!view.provider || row[PROVIDER] === view.provider)
      && (!text || keysOf(row).text.includes(text)));
    const number = new Intl.NumberFormat("en");
    find("#found").textContent = `${number.format(shown.length)} of ${number.format(rows.length)}`;
    find("#nothing").hidden = shown.length > 0;
    draw(true);
  }

  // --- virtual rows -----------------------------------------------------------------------------------------------

  const table = find("table"), drawn = new Map();
  const pad = () => {
    const tr = document.createElement("tr"), td = document.createElement("td"); // one cell: the number of columns depends on the width
    tr.className = "pad";
    tr.setAttribute("aria-hidden", "true");
    tr.append(td);
    return tr;
  };
  const above = pad(), below = pad();
  const wordsOf = (value) => value === "" ? "–" : value.replaceAll("_", " ");

  function rowOf(row) {
    const tr = blank.cloneNode(true), link = tr.querySelector("a");
    tr.className = row[STATE];
    tr.querySelector(".mark").setAttribute("class", "mark " + row[STATE]);
    tr.querySelector("use").setAttribute("href", "#mark-" + row[STATE]);
    tr.querySelector(".state span").textContent = words[row[STATE]];
    link.title = link.textContent = row[CUSTOMER] || row[GROUP] || row[ID];
    link.href = "/explain?id=" + encodeURIComponent(row[ID]);
    tr.querySelector("small").textContent = row[GROUP] || row[ID];
    const provider = tr.querySelector(".provider");
    provider.title = provider.textContent = wordsOf(row[PROVIDER]);
    tr.querySelector(".connection").textContent = wordsOf(row[CONNECTION]);
    tr.querySelector(".operation").textContent = wordsOf(row[OPERATION]);
    const time = tr.querySelector("time"), parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):[\d.]+Z$/.exec(row[UPDATED]);
    time.dateTime = row[UPDATED];
    time.firstElementChild.textContent = parts ? parts[1] : row[UPDATED] || "–";
    time.lastElementChild.textContent = parts ? parts[2] + " UTC" : "";
    if (fresh.has(row[ID])) tr.classList.add("changed");
    return tr;
  }

  let height = 0, from = -1, to = -1;
  function draw(anew) {
    if (!ready) return;
    height = height || (body.querySelector("tr:not(.pad)") || body).getBoundingClientRect().height || 56;
    const top = body.getBoundingClientRect().top;
    const first = Math.max(0, Math.min(shown.length, Math.floor(-top / height) - OVERSCAN));
    // some rows also while the list is below the screen: Tab and screen readers reach it there
    const last = Math.min(shown.length, Math.max(first, Math.ceil((innerHeight - top) / height)) + OVERSCAN);
    if (!anew && first === from && last === to) return;
    [from, to] = [first, Math.max(first, last)];
    const wanted = shown.slice(from, to), keep = new Set(wanted);
    const focused = document.activeElement.closest("#rows a");
    for (const [row, tr] of drawn) {
      if (!keep.has(row)) {
        drawn.delete(row);
        tr.remove();
      }
    }
    above.firstChild.style.height = from * height + "px";
    below.firstChild.style.height = (shown.length - to) * height + "px";
    if (!above.isConnected) body.replaceChildren(above, below);
    let place = above;
    wanted.forEach((row, i) => {
      let tr = drawn.get(row);
      if (!tr) drawn.set(row, tr = rowOf(row));
      tr.setAttribute("aria-rowindex", from + i + 2);
      if (place.nextSibling !== tr) place.after(tr);
      place = tr;
    });
    table.setAttribute("aria-rowcount", shown.length + 1);
    // a row that was moved has lost the focus; one that is gone leaves it to the list
    if (focused && focused !== document.activeElement) (focused.isConnected ? focused : find("#list")).focus({ preventScroll: true });
  }

  let scheduled = false;
  const drawLater = () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      draw(false);
    });
  };
  addEventListener("scroll", drawLater, { passive: true });
  document.addEventListener("toggle", drawLater, true); // providers that open or close move the list
  addEventListener("resize", () => {
    height = 0;
    drawLater();
  });

  // Arrow keys, Page Up, Page Down, Home and End move the focus through all rows, also those that are not drawn yet.
  body.addEventListener("keydown", (event) => {
    const tr = event.target.closest("tr"), page = Math.max(1, Math.floor(innerHeight / height) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (!ready || !tr || !(event.key in steps)) return;
    event.preventDefault();
    const at = Number(tr.getAttribute("aria-rowindex")) - 2;
    const next = Math.max(0, Math.min(shown.length - 1, at + steps[event.key]));
    const y = body.getBoundingClientRect().top + scrollY + next * height;
    if (y < scrollY + 2 * height) scrollTo(0, y - 2 * height);
    if (y + 2 * height > scrollY + innerHeight) scrollTo(0, y + 2 * height - innerHeight);
    draw(false);
    drawn.get(shown[next])?.querySelector("a").focus({ preventScroll: true });
  });

  // --- the view: what is searched, filtered, sorted -----------------------------------------------------------------

  function address() {
    const search = new URLSearchParams(Object.entries(view).filter(([, value]) => value)).toString();
    return search ? "/?" + search : "/";
  }

  let waiting = 0;
  function changed(soon) {
    history.replaceState(null, "", address());
    for (const name of Object.keys(view)) if (form.elements[name].value !== view[name]) form.elements[name].value = view[name];
    for (const link of document.querySelectorAll("thead a")) {
      const chosen = link.dataset.sort === (view.sort || "state"), down = chosen && view.dir === "desc";
      link.parentNode.setAttribute("aria-sort", chosen ? (down ? "descending" : "ascending") : "none");
    }
    for (const link of document.querySelectorAll("[data-choose]")) {
      if (view[link.dataset.choose] === link.dataset.value) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    choose();
    clearTimeout(waiting);
    waiting = setTimeout(overview, soon ? 250 : 0);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || !ready) return;
    if (link.hasAttribute("data-explain")) {
      event.preventDefault();
      explain(link.href);
    } else if (link.dataset.sort) {
      event.preventDefault();
      const again = link.dataset.sort === (view.sort || "state");
      view.dir = again && view.dir !== "desc" ? "desc" : "";
      view.sort = link.dataset.sort;
      changed();
    } else if (link.dataset.choose) {
      event.preventDefault();
      const { choose: name, value } = link.dataset;
      view[name] = view[name] === value ? "" : value;
      changed();
    } else if (link.hasAttribute("data-view")) {
      event.preventDefault();
      const search = new URL(link.getAttribute("href"), location).searchParams;
      for (const name of Object.keys(view)) view[name] = search.get(name) || "";
      changed();
    }
  });
  form.addEventListener("input", () => {
    for (const name of ["q", "state", "provider"]) view[name] = form.elements[name].value;
    changed(true);
  });
  form.addEventListener("submit", (event) => ready && event.preventDefault());
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, select, dialog") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    form.elements.q.focus();
  });

  // The server renders. A document fetched this way runs no script, and no string is parsed as HTML here.
  function fetchDocument(url, take, fail) {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.timeout = 40000;
    request.onload = () => request.response ? take(request.response) : fail?.();
    request.onerror = request.ontimeout = () => fail?.();
    request.open("GET", url);
    request.send();
  }

  let asked = 0, newest = 0;
  function overview() {
    const url = address(), mine = ++asked;
    fetchDocument(url + (url.includes("?") ? "&" : "?") + "part=overview", (page) => {
      const next = page.querySelector("#overview"), before = find("#overview");
      if (!next || mine < newest) return; // an older answer came later
      newest = mine;
      const focused = before.contains(document.activeElement) && document.activeElement;
      const place = focused ? [...before.querySelectorAll("a, summary")].indexOf(focused) : -1;
      const same = (link) => link.dataset.choose === focused.dataset.choose && link.dataset.value === focused.dataset.value;
      const open = before.querySelector("details")?.open;
      before.replaceWith(document.importNode(next, true));
      const after = find("#overview");
      if (open && after.querySelector("details")) after.querySelector("details").open = true;
      if (place >= 0) {
        const links = [...after.querySelectorAll("a, summary")];
        (links.find((link) => focused.dataset.choose && same(link) && link.checkVisibility()) || links[place])?.focus({ preventScroll: true });
      }
    });
  }

  // --- explanation --------------------------------------------------------------------------------------------------

  let requests = 0;
  function explain(url) {
    const mine = ++requests, wait = document.createElement("p");
    wait.textContent = "Loading the explanation …";
    answer.replaceChildren(wait);
    if (!dialog.open) dialog.showModal();
    answer.focus();
    const put = (node) => mine === requests && answer.replaceChildren(node);
    fetchDocument(url, (page) => put(document.importNode(page.querySelector("article"), true)), () => {
      wait.textContent = "The server did not answer. Close this and try again.";
      put(wait);
    });
  }
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

  // --- changes -------------------------------------------------------------------------------------------------------

  let checked = find("#overview").dataset.age === "" ? null : performance.now() - 1000 * find("#overview").dataset.age;
  let connected = false, failing = find(".problem") !== null;
  const span = (age) => age < 90 ? `${Math.floor(age)} s` : age < 5400 ? `${Math.floor(age / 60)} min` : `${Math.floor(age / 3600)} h`;
  function showStatus() {
    const age = checked === null ? null : span(Math.max(0, (performance.now() - checked) / 1000));
    const word = !connected ? "Reconnecting" : failing ? "API failing" : "Live", known = find("[data-known]");
    find("#live").className = connected && !failing ? "live" : "stale";
    find("#age").textContent = `${word} · ${age === null ? "no data yet" : age + " ago"}`;
    if (known && age !== null) known.textContent = age;
  }
  setInterval(showStatus, 1000);

  function toast(row) {
    const link = document.createElement("a"), mark = blank.querySelector(".mark").cloneNode(true), text = document.createElement("span");
    mark.setAttribute("class", "mark " + row[STATE]);
    mark.firstElementChild.setAttribute("href", "#mark-" + row[STATE]);
    text.textContent = `${row[CUSTOMER] || row[GROUP] || row[ID]} (${row[PROVIDER]}): ${words[row[STATE]].toLowerCase()}`;
    link.href = "/explain?id=" + encodeURIComponent(row[ID]);
    link.setAttribute("data-explain", "");
    link.append(mark, text);
    changes.append(link);
    while (changes.children.length > TOASTS) changes.firstChild.remove();
    setTimeout(() => link.remove(), 12000);
  }

  // A row whose state became worse is highlighted and announced.
  function apply({ rows: changed, removed }) {
    for (const id of removed) known.delete(id);
    for (const row of changed) {
      const before = known.get(row[ID]);
      if (SEVERITY[row[STATE]] <= 2 && (!before || SEVERITY[before[STATE]] > SEVERITY[row[STATE]])) {
        fresh.add(row[ID]);
        setTimeout(() => fresh.delete(row[ID]), 6000);
        toast(row);
      }
      known.set(row[ID], row);
    }
    rows = [...known.values()];
    sortedFor = null;
    choose();
    overview();
  }

  async function load() {
    const response = await fetch("/rows");
    const list = await response.json();
    const before = known;
    version = list.version;
    known = new Map(list.rows.map((row) => [row[ID], row]));
    rows = list.rows;
    sortedFor = null;
    if (!ready) {
      ready = true;
      document.documentElement.classList.add("script");
    } else {
      for (const row of rows) {
        const was = before.get(row[ID]);
        if (was && row[STATE] === "unhealthy" && was[STATE] !== "unhealthy" && changes.children.length < TOASTS) toast(row);
      }
      overview();
    }
    choose();
  }

  let loading = null;
  function reload() {
    loading = loading || load().catch(() => setTimeout(reload, 2000)).finally(() => { loading = null; });
    return loading;
  }

  // A hidden page has no event stream: a browser opens few connections to one server, and each page would keep one.
  let source = null;
  function listen() {
    if (source || document.hidden) return;
    source = new EventSource("/events?version=" + encodeURIComponent(version));
    source.onopen = () => { connected = true; showStatus(); };
    source.onerror = () => {
      connected = false;
      showStatus();
      source.close();
      source = null;
      setTimeout(listen, 2000);
    };
    source.onmessage = (event) => {
      const update = JSON.parse(event.data);
      connected = true;
      if (update.age !== undefined) checked = performance.now() - 1000 * update.age;
      const failureChanged = update.problem !== failing;
      failing = update.problem;
      if (update.version !== version) {
        if (update.change && update.change.from === version) {
          version = update.version;
          apply(update.change);
        } else {
          reload();
        }
      } else if (failureChanged) {
        overview();
      }
      showStatus();
    };
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (ready) {
      listen();
    }
  });

  reload().then(listen);
})();
