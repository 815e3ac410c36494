// Takes over the page that the server has drawn: the whole list in virtual rows, search while typing, and the news.
"use strict";
(() => {
  const ID = 0, CUSTOMER = 1, GROUP = 2, PROVIDER = 3, STATE = 4, CONNECTION = 5, OPERATION = 6, UPDATED = 7;
  const SEVERITY = { unhealthy: 1, refused: 2, unknown: 3, unverified: 4, healthy: 5 };
  const SORTED_BY = { state: STATE, customer: CUSTOMER, provider: PROVIDER, connection: CONNECTION, operation: OPERATION, updated: UPDATED };
  const OVERSCAN = 8; // rows drawn above and below what is seen
  const TOASTS = 3;

  const find = (selector) => document.querySelector(selector);
  const body = find("#rows"), form = find("#filter"), dialog = find("#dialog"), answer = find("#answer"), news = find("#news");
  const blank = find("#row").content.firstElementChild;
  const words = Object.fromEntries([...form.elements.state.options].map((o) => [o.value, o.textContent]));
  const params = new URLSearchParams(location.search);
  const view = {};
  for (const name of ["q", "state", "provider", "sort", "dir"]) view[name] = params.get(name) || "";

  let version = document.body.dataset.version, rows = [], shown = [], known = new Map(), fresh = new Set(), ready = false;

  // --- the list ---------------------------------------------------------------------------------------------------

  // Letters with marks count as those without; page.lua does the same.
  const fold = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();

  // What is searched, and what is sorted by, is worked out once per row.
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
    const tr = document.createElement("tr"), td = document.createElement("td");
    tr.className = "pad";
    tr.setAttribute("aria-hidden", "true");
    td.colSpan = 6;
    tr.append(td);
    return tr;
  };
  const above = pad(), below = pad();
  const says = (value) => value === "" ? "–" : value.replaceAll("_", " ");

  function rowOf(row) {
    const tr = blank.cloneNode(true), link = tr.querySelector("a");
    tr.className = row[STATE];
    tr.querySelector(".mark").setAttribute("class", "mark " + row[STATE]);
    tr.querySelector("use").setAttribute("href", "#mark-" + row[STATE]);
    tr.querySelector(".state span").textContent = words[row[STATE]];
    link.textContent = row[CUSTOMER] || row[GROUP] || row[ID];
    link.href = "/explain?id=" + encodeURIComponent(row[ID]);
    tr.querySelector("small").textContent = row[GROUP] || row[ID];
    tr.querySelector(".provider").textContent = says(row[PROVIDER]);
    tr.querySelector(".connection").textContent = says(row[CONNECTION]);
    tr.querySelector(".operation").textContent = says(row[OPERATION]);
    const moment = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(row[UPDATED]);
    tr.querySelector("time").textContent = moment ? moment[1] + " " + moment[2] : "–";
    if (fresh.has(row[ID])) tr.classList.add("news");
    return tr;
  }

  let height = 0, from = -1, to = -1;
  function draw(anew) {
    if (!ready) return;
    height = height || (body.querySelector("tr:not(.pad)") || body).getBoundingClientRect().height || 56;
    const top = body.getBoundingClientRect().top;
    const first = Math.max(0, Math.min(shown.length, Math.floor(-top / height) - OVERSCAN));
    const last = Math.min(shown.length, Math.ceil((innerHeight - top) / height) + OVERSCAN);
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

  let asked = false;
  const later = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw(false);
    });
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", () => {
    height = 0;
    later();
  });

  // Arrow keys, Page, Home and End walk through all rows, also those that are not drawn yet.
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

  // The server draws; a document that was fetched this way runs nothing and is not parsed from a string of ours.
  function fetchDocument(url, take, fail) {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.timeout = 40000;
    request.onload = () => request.response ? take(request.response) : fail?.();
    request.onerror = request.ontimeout = () => fail?.();
    request.open("GET", url);
    request.send();
  }

  function overview() {
    const url = address();
    fetchDocument(url + (url.includes("?") ? "&" : "?") + "part=overview", (page) => {
      const next = page.querySelector("#overview"), before = find("#overview");
      if (!next) return;
      const focused = before.contains(document.activeElement) && document.activeElement;
      const place = focused ? [...before.querySelectorAll("a, summary")].indexOf(focused) : -1;
      const label = focused && focused.getAttribute("aria-label")?.split(":")[0];
      const open = before.querySelector("details")?.open;
      before.replaceWith(document.importNode(next, true));
      const after = find("#overview");
      if (open && after.querySelector("details")) after.querySelector("details").open = true;
      if (place >= 0) {
        const links = [...after.querySelectorAll("a, summary")];
        (links.find((link) => label && link.getAttribute("aria-label")?.split(":")[0] === label && link.checkVisibility()) || links[place])?.focus({ preventScroll: true });
      }
    });
  }

  // --- explanation --------------------------------------------------------------------------------------------------

  let question = 0;
  function explain(url) {
    const mine = ++question, wait = document.createElement("p");
    wait.textContent = "Asking why …";
    answer.replaceChildren(wait);
    if (!dialog.open) dialog.showModal();
    answer.focus();
    const put = (node) => mine === question && answer.replaceChildren(node);
    fetchDocument(url, (page) => put(document.importNode(page.querySelector("article"), true)), () => {
      wait.textContent = "The server did not answer. Close this and try again.";
      put(wait);
    });
  }
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

  // --- news -----------------------------------------------------------------------------------------------------------

  let checked = find("#overview").dataset.age === "" ? null : performance.now() - 1000 * find("#overview").dataset.age;
  let connected = false, trouble = find(".problem") !== null;
  const span = (age) => age < 90 ? `${Math.floor(age)} s` : age < 5400 ? `${Math.floor(age / 60)} min` : `${Math.floor(age / 3600)} h`;
  function tell() {
    const age = checked === null ? null : span(Math.max(0, (performance.now() - checked) / 1000));
    const word = !connected ? "Reconnecting" : trouble ? "API failing" : "Live", known = find("[data-known]");
    find("#live").className = connected && !trouble ? "live" : "stale";
    find("#age").textContent = `${word} · ${age === null ? "no data yet" : age + " ago"}`;
    if (known && age !== null) known.textContent = age;
  }
  setInterval(tell, 1000);

  function toast(row) {
    const link = document.createElement("a"), mark = blank.querySelector(".mark").cloneNode(true), text = document.createElement("span");
    mark.setAttribute("class", "mark " + row[STATE]);
    mark.firstElementChild.setAttribute("href", "#mark-" + row[STATE]);
    text.textContent = `${row[CUSTOMER] || row[GROUP] || row[ID]} (${row[PROVIDER]}): ${words[row[STATE]].toLowerCase()}`;
    link.href = "/explain?id=" + encodeURIComponent(row[ID]);
    link.setAttribute("data-explain", "");
    link.append(mark, text);
    news.append(link);
    while (news.children.length > TOASTS) news.firstChild.remove();
    setTimeout(() => link.remove(), 12000);
  }

  // Rows that are worse than they were are news.
  function take(changes, removed) {
    for (const id of removed) known.delete(id);
    for (const row of changes) {
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
        if (was && row[STATE] === "unhealthy" && was[STATE] !== "unhealthy" && news.children.length < TOASTS) toast(row);
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

  // A hidden page hears nothing: a browser holds few connections to one server, and each page would keep one.
  let source = null;
  function listen() {
    if (source || document.hidden) return;
    source = new EventSource("/events?version=" + encodeURIComponent(version));
    source.onopen = () => { connected = true; tell(); };
    source.onerror = () => {
      connected = false;
      tell();
      source.close();
      source = null;
      setTimeout(listen, 2000);
    };
    source.onmessage = (event) => {
      const told = JSON.parse(event.data);
      connected = true;
      if (told.age !== undefined) checked = performance.now() - 1000 * told.age;
      const turned = told.problem !== trouble;
      trouble = told.problem;
      if (told.version !== version) {
        if (told.change && told.change.from === version) {
          version = told.version;
          take(told.change.rows, told.change.removed);
        } else {
          reload();
        }
      } else if (turned) {
        overview();
      }
      tell();
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
