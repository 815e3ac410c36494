--- Renders the dashboard: data in, HTML out. It uses neither nginx nor the API.

local page = {}

-- --- text ----------------------------------------------------------------------------------------------------------

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(value)
  value = tostring(value)
  if not value:find "[%c&<>\"'\127]" then return value end
  return (value:gsub("[&<>\"']", ENTITIES):gsub("[%z\1-\8\11\12\14-\31\127]", "\239\191\189"))
end

-- A template cut where values go: text, name, whether the value is HTML already, text, …
local function cut(template)
  local pieces, at = {}, 1
  for before, raw, name, after in template:gmatch "(.-){(=?)(%l[%l_]*)}()" do
    local n = #pieces
    pieces[n + 1], pieces[n + 2], pieces[n + 3] = before, name, raw == "="
    at = after
  end
  pieces[#pieces + 1] = template:sub(at)
  return pieces
end

local templates = {}

-- Fills a template: {name} is escaped, {=name} is HTML made here.
local function fill(template, values)
  local pieces, parts = templates[template], {}
  if not pieces then
    pieces = cut(template)
    templates[template] = pieces
  end
  for i = 1, #pieces - 1, 3 do
    local value = values[pieces[i + 1]]
    if value == nil then error("the template has no value for " .. pieces[i + 1], 2) end
    parts[#parts + 1] = pieces[i]
    parts[#parts + 1] = pieces[i + 2] and value or escape(value)
  end
  parts[#parts + 1] = pieces[#pieces]
  return table.concat(parts)
end

local function percent_encode(value)
  return (value:gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

-- Letters with marks count as those without, for searching and sorting; dashboard.js does the same.
local PLAIN = {}
for plain, marked in ([[
a ÀÁÂÃÄÅàáâãäåĀāĂăĄą c ÇçĆćĈĉĊċČč d Ďď e ÈÉÊËèéêëĒēĔĕĖėĘęĚě g ĜĝĞğĠġĢģ h Ĥĥ i ÌÍÎÏìíîïĨĩĪīĬĭĮįİ j Ĵĵ k Ķķ l ĹĺĻļĽľ
n ÑñŃńŅņŇň o ÒÓÔÕÖòóôõöŌōŎŏŐő r ŔŕŖŗŘř s ŚśŜŝŞşŠš t ŢţŤť u ÙÚÛÜùúûüŨũŪūŬŭŮůŰűŲų w Ŵŵ y ÝýÿŶŷŸ z ŹźŻżŽž
]]):gmatch "(%l) (%S+)" do
  for letter in marked:gmatch "[\195-\197][\128-\191]" do PLAIN[letter] = plain end
end

local function fold(value)
  return (value:lower():gsub("[\195-\197][\128-\191]", PLAIN))
end

-- 12345 -> 12,345
local function number(value)
  local digits = ("%d"):format(value):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (digits:gsub("^,", ""))
end

local function age_text(seconds)
  if seconds < 90 then return ("%d s"):format(math.floor(seconds)) end
  if seconds < 5400 then return ("%d min"):format(math.floor(seconds / 60)) end
  return ("%d h"):format(math.floor(seconds / 3600))
end

-- --- states --------------------------------------------------------------------------------------------------------

-- Worst first. Each has a colour (style.css), a shape and a word: none of them is needed to tell the others apart.
page.STATES = {
  { name = "unhealthy", word = "Unhealthy", shape = '<path d="M8 1.2 15.4 14.6H.6z"/><path class="cut" d="M8 6v4.2m0 1.5v1.5"/>' },
  { name = "refused", word = "Login refused", shape = '<path d="M8 .8 15.2 8 8 15.2.8 8z"/><path class="cut" d="M5 8h6"/>' },
  { name = "unknown", word = "Unknown", shape = '<rect x="1.5" y="1.5" width="13" height="13" rx="2"/><path class="cut" d="M6 6.3a2 2 0 1 1 2 2.2v1m0 1.4v.9"/>' },
  { name = "unverified", word = "Not verified", shape = '<circle cx="8" cy="8" r="5.8" class="ring"/>' },
  { name = "healthy", word = "Healthy", shape = '<circle cx="8" cy="8" r="7.2"/><path class="cut" d="m4.8 8.3 2.3 2.3 4.2-4.8"/>' },
}
local SEVERITY, WORD = {}, {}
for i, state in ipairs(page.STATES) do SEVERITY[state.name], WORD[state.name] = i, state.word end

local function symbols()
  local parts = {}
  for _, state in ipairs(page.STATES) do
    parts[#parts + 1] = ('<symbol id="mark-%s" viewBox="0 0 16 16">%s</symbol>'):format(state.name, state.shape)
  end
  return table.concat(parts)
end

local function mark(state)
  return ('<svg class="mark %s" aria-hidden="true"><use href="#mark-%s"/></svg>'):format(state, state)
end

-- --- what is shown of the list -------------------------------------------------------------------------------------

page.PARAMETERS = { "q", "state", "provider", "sort", "dir" }

-- The columns that can be sorted by, and their places in a row.
page.COLUMNS = {
  { name = "state", word = "State", at = 5 }, { name = "customer", word = "Customer", at = 2 },
  { name = "provider", word = "Provider", at = 4 }, { name = "connection", word = "Connection", at = 6 },
  { name = "operation", word = "Last operation", at = 7 }, { name = "updated", word = "Updated", at = 8 },
}
local PLACE = {}
for _, column in ipairs(page.COLUMNS) do PLACE[column.name] = column.at end

local function key_of(row, by)
  if by == "state" then return SEVERITY[row[5]] .. fold(row[2]) end
  return fold(row[PLACE[by]])
end

local TURN = 500 -- rows that are processed before other requests get their turn

local function merge(a, b, before, pause)
  local merged, i, j = {}, 1, 1
  for k = 1, #a + #b do
    if j > #b or i <= #a and not before(b[j], a[i]) then
      merged[k], i = a[i], i + 1
    else
      merged[k], j = b[j], j + 1
    end
    if k % TURN == 0 then pause() end
  end
  return merged
end

--- The rows sorted by a column, equal ones by their ids. In runs that are merged, so that no turn is long.
---@param pause function called often
function page.sort(rows, by, descending, pause)
  local keys, runs = {}, {}
  local function before(a, b)
    if descending then return keys[a] > keys[b] end
    return keys[a] < keys[b]
  end
  for first = 1, #rows, TURN do
    local run = {}
    for i = first, math.min(first + TURN - 1, #rows) do
      run[#run + 1], keys[rows[i]] = rows[i], key_of(rows[i], by) .. "\0" .. rows[i][1]
    end
    table.sort(run, before)
    runs[#runs + 1] = run
    pause()
  end
  while #runs > 1 do
    local merged = {}
    for i = 1, #runs, 2 do
      merged[#merged + 1] = runs[i + 1] and merge(runs[i], runs[i + 1], before, pause) or runs[i]
    end
    runs = merged
  end
  return runs[1] or {}
end

local searched = setmetatable({}, { __mode = "k" }) -- row -> the text that is searched

local function matches(row, view, words)
  if view.state ~= "" and row[5] ~= view.state then return false end
  if view.provider ~= "" and row[4] ~= view.provider then return false end
  if words == "" then return true end
  searched[row] = searched[row] or fold(row[1] .. "\n" .. row[2] .. "\n" .. row[3] .. "\n" .. row[4])
  return searched[row]:find(words, 1, true) ~= nil
end

--- The rows of a view, from rows that are sorted by state.
---@param view table q, state, provider, sort, dir: texts, perhaps empty
---@param pause function called often
function page.select(rows, view, pause)
  local found, words = rows, fold(view.q)
  if words ~= "" or view.state ~= "" or view.provider ~= "" then
    found = {}
    for i, row in ipairs(rows) do
      if matches(row, view, words) then found[#found + 1] = row end
      if i % TURN == 0 then pause() end
    end
  end
  local by = PLACE[view.sort] and view.sort or "state"
  if by == "state" and view.dir ~= "desc" then return found end
  return page.sort(found, by, view.dir == "desc", pause)
end

-- The address of a view with some of its parameters changed.
local function address(view, changes)
  local words = {}
  for _, name in ipairs { "q", "state", "provider", "sort", "dir", "page" } do
    local value = changes[name] or view[name] or ""
    if value ~= "" then words[#words + 1] = name .. "=" .. percent_encode(value) end
  end
  return #words == 0 and "/" or "/?" .. table.concat(words, "&")
end

-- --- overview ------------------------------------------------------------------------------------------------------

local TILE = [[
<a class="tile {name}" data-choose="state" data-value="{state}" href="{address}"{=current}><span class="what">{=mark}{word}</span>
<strong>{count}</strong><span class="share">{share}</span></a>]]

local function share_of(part, all)
  if all == 0 or part == 0 then return "none" end
  local share = part / all * 100
  return share < 1 and "under 1 %" or ("%.0f %%"):format(share)
end

local function tile(model, name, word, count, all)
  local chosen = model.view.state == name
  return fill(TILE, {
    name = name == "" and "all" or name, state = name, word = word, count = number(count),
    mark = name ~= "" and mark(name) or "", share = name == "" and "installations" or share_of(count, all),
    address = address(model.view, { state = chosen and "" or name }),
    current = chosen and ' aria-current="true"' or "",
  })
end

local function tiles(model)
  local meta, parts = model.meta, {}
  parts[1] = tile(model, "", "All", meta.count, meta.count)
  for _, state in ipairs(page.STATES) do
    local count = meta.totals[state.name] or 0
    if count > 0 or state.name ~= "unknown" then parts[#parts + 1] = tile(model, state.name, state.word, count, meta.count) end
  end
  return table.concat(parts, "\n")
end

local MANY = 10 -- providers that are shown without a click, except on narrow screens

-- The accessible name is the text itself, so it begins with what is seen: name and count, then the count of each state.
local BAR = [[
<li><a class="bar" data-choose="provider" data-value="{provider}" href="{address}"{=current} title="{name}">{=content}</a></li>]]
local BAR_WITHOUT_LINK = '<li><div class="bar">{=content}</div></li>' -- "" is the value of "every provider"
local BAR_CONTENT = [[
<span class="name">{name}</span> <span class="count">{count}</span><span class="unseen">: {states}</span>
<svg aria-hidden="true">{=segments}</svg>]]

-- A piece of a bar: its colour, and over it the pattern that the worst have.
local function segment(name, x, width)
  local place = (' x="%.2f%%" width="%.2f%%" height="10"/>'):format(x, width)
  local pattern = (name == "unhealthy" or name == "refused") and ('<rect class="%s-pattern"'):format(name) .. place or ""
  return ('<rect class="%s"'):format(name) .. place .. pattern
end

local function segments(provider, most)
  local parts, x = {}, 0
  for _, state in ipairs(page.STATES) do
    local width = (provider.states[state.name] or 0) / most * 100
    if width > 0 then parts[#parts + 1] = segment(state.name, x, math.max(width, 0.6)) end
    x = x + width
  end
  return table.concat(parts)
end

local function legend(totals)
  local parts = {}
  for _, state in ipairs(page.STATES) do
    if totals[state.name] then
      parts[#parts + 1] = ('<li><svg aria-hidden="true">%s</svg>%s</li>'):format(segment(state.name, 0, 100), state.word)
    end
  end
  return '<ul class="legend">' .. table.concat(parts) .. "</ul>"
end

local function counts_by_state(provider)
  local words = {}
  for _, state in ipairs(page.STATES) do
    local count = provider.states[state.name]
    if count then words[#words + 1] = ("%s %s"):format(number(count), state.word:lower()) end
  end
  return table.concat(words, ", ")
end

local function bar(model, provider, most)
  local unhealthy = provider.states.unhealthy or 0
  local chosen = model.view.provider == provider.name
  local name = provider.name ~= "" and provider.name or "no provider"
  local content = fill(BAR_CONTENT, {
    name = name, states = counts_by_state(provider), segments = segments(provider, most),
    count = unhealthy > 0 and ("%s of %s"):format(number(unhealthy), number(provider.total)) or number(provider.total),
  })
  if provider.name == "" then return fill(BAR_WITHOUT_LINK, { content = content }) end
  return fill(BAR, {
    provider = provider.name, name = name, content = content, current = chosen and ' aria-current="true"' or "",
    address = address(model.view, { provider = chosen and "" or provider.name }),
  })
end

local function bars(model, providers, first, last, most, class)
  local parts = {}
  if first > last then return "" end
  for i = first, last do parts[#parts + 1] = bar(model, providers[i], most) end
  return ('<ul class="chart %s">%s</ul>'):format(class or "", table.concat(parts, "\n"))
end

-- The most unhealthy first, then the largest.
local function more_unhealthy(a, b)
  local x, y = a.states.unhealthy or 0, b.states.unhealthy or 0
  if x ~= y then return x > y end
  if a.total ~= b.total then return a.total > b.total end
  return a.name < b.name
end

local function chart(model)
  local providers, most = {}, 1
  for i, provider in ipairs(model.meta.providers) do
    providers[i], most = provider, math.max(most, provider.total)
  end
  table.sort(providers, more_unhealthy)
  local many = math.min(MANY, #providers)
  return bars(model, providers, 1, many, most, "wide")
    .. ('<details%s><summary><span class="wide">The other providers</span><span class="narrow">Health by provider</span></summary>%s%s</details>')
      :format(many == #providers and ' class="narrow"' or "", bars(model, providers, 1, many, most, "narrow"),
        bars(model, providers, many + 1, #providers, most))
end

-- The age is outside of the alert, so that a screen reader does not announce each second.
local PROBLEM = [[
<div class="problem">{=mark}<div><div role="alert"><strong>The API does not answer as it should.</strong>
<span class="message">{message}</span></div><span class="known">{=known} Every refresh since {since} has failed; the next one is automatic.</span></div></div>]]

local function problem_banner(model)
  if not model.problem then return "" end
  return fill(PROBLEM, {
    mark = mark "unhealthy", message = model.problem.message, since = os.date("!%Y-%m-%d %H:%M:%S UTC", model.problem.since),
    known = model.meta and fill("The list is <span data-known>{age}</span> old.", { age = age_text(model.age) })
      or "No list was received yet.",
  })
end

local OVERVIEW = [[
<div id="overview" data-age="{age}">
{=problem}
<nav class="tiles" aria-label="By state">{=tiles}</nav>
<section class="panel providers" aria-labelledby="providers"><h2 id="providers">Health by provider</h2>
<p class="hint">unhealthy of all, worst first</p>{=legend}{=chart}</section>
</div>]]

--- The part that is replaced after each change: errors of the API, the counts, the chart.
function page.overview(model)
  local meta = model.meta
  return fill(OVERVIEW, {
    age = meta and ("%.1f"):format(model.age) or "", problem = problem_banner(model),
    tiles = meta and tiles(model) or "", chart = meta and chart(model) or "",
    legend = meta and legend(meta.totals) or "",
  })
end

-- --- table ---------------------------------------------------------------------------------------------------------

local ROW_HTML = [[
<tr class="{state}"><td class="state">{=mark}<span>{word}</span></td>
<th scope="row"><a data-explain href="/explain?id={id}" title="{customer}">{customer}</a><small>{group}</small></th>
<td class="provider" title="{provider}">{provider}</td><td class="connection">{connection}</td><td class="operation">{operation}</td>
<td class="updated"><time datetime="{datetime}"><span>{day}</span> <span>{hour}</span></time></td></tr>]]

local function words(value)
  return value == "" and "–" or (value:gsub("_", " "))
end

-- Day and time of day in UTC, as dashboard.lua writes times. Any other text is shown unchanged: its zone is not known.
local function time_texts(value)
  local day, hour = value:match "^(%d%d%d%d%-%d%d%-%d%d)T(%d%d:%d%d):[%d.]+Z$"
  if day then return day, hour .. " UTC" end
  return value == "" and "–" or value, ""
end

local function row_html(row)
  local day, hour = time_texts(row[8])
  return fill(ROW_HTML, {
    state = row[5], mark = mark(row[5]), word = WORD[row[5]], id = percent_encode(row[1]),
    customer = row[2] ~= "" and row[2] or row[3] ~= "" and row[3] or row[1],
    group = row[3] ~= "" and row[3] or row[1], provider = words(row[4]), connection = words(row[6]),
    operation = words(row[7]), day = day, hour = hour, datetime = row[8],
  })
end

local function last_page(model)
  return math.max(1, math.ceil(#model.rows / model.size))
end

-- The page that was asked for: digits only, and no page beyond the last.
local function page_number(model)
  local asked = tonumber(model.page:match "^%d+$")
  return asked and math.floor(math.max(1, math.min(asked, last_page(model)))) or 1
end

local function rows_html(model)
  local parts, first = {}, (page_number(model) - 1) * model.size + 1
  for i = first, math.min(first + model.size - 1, #model.rows) do parts[#parts + 1] = row_html(model.rows[i]) end
  return table.concat(parts, "\n")
end

local function heads(view)
  local parts = {}
  local by = PLACE[view.sort] and view.sort or "state"
  for _, column in ipairs(page.COLUMNS) do
    local chosen = column.name == by
    local down = chosen and view.dir == "desc"
    parts[#parts + 1] = fill('<th scope="col" class="{name}" aria-sort="{sort}"><a data-view data-sort="{name}" href="{address}">{word}</a></th>', {
      name = column.name, word = column.word,
      sort = chosen and (down and "descending" or "ascending") or "none",
      address = address(view, { sort = column.name, dir = chosen and not down and "desc" or "" }),
    })
  end
  return table.concat(parts)
end

local function option(value, word, chosen)
  return fill('<option value="{value}"{=chosen}>{word}</option>', {
    value = value, word = word, chosen = value == chosen and " selected" or "",
  })
end

local function state_options(view)
  local parts = { option("", "Every state", view.state) }
  for _, state in ipairs(page.STATES) do parts[#parts + 1] = option(state.name, state.word, view.state) end
  return table.concat(parts)
end

local function provider_options(model)
  local parts, names = { option("", "Every provider", model.view.provider) }, {}
  for _, provider in ipairs(model.meta and model.meta.providers or {}) do names[#names + 1] = provider.name end
  table.sort(names, function(a, b) return a:lower() < b:lower() end)
  for _, name in ipairs(names) do
    if name ~= "" then parts[#parts + 1] = option(name, name, model.view.provider) end
  end
  return table.concat(parts)
end

local function paging(model)
  local at, last = page_number(model), last_page(model)
  local function link(to, word)
    if to < 1 or to > last then return ('<span>%s</span>'):format(word) end
    return fill('<a href="{address}">{word}</a>', { address = address(model.view, { page = ("%d"):format(to) }), word = word })
  end
  return ('<nav class="paging" aria-label="Pages">%s<span>page %d of %d</span>%s</nav>'):format(
    link(at - 1, "Previous"), at, last, link(at + 1, "Next"))
end

-- --- whole pages ---------------------------------------------------------------------------------------------------

local HEAD = [[
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="/mark.svg"><link rel="stylesheet" href="/style.css">{=script}</head>
]]

local SVG = [[
<svg class="hidden" aria-hidden="true"><defs>{=symbols}
<pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0v6"/></pattern>
<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse"><circle cx="2.5" cy="2.5" r="1.1"/></pattern></defs></svg>]]

local BODY = [[
<body data-version="{version}"><a class="skip" href="#list">Skip to the list</a>
<header><img src="/mark.svg" alt="" width="36" height="36"><div><h1>Installations</h1><p>{project}</p></div>
<p id="live" class="{freshness}"><span class="dot"></span><span id="age">{age}</span></p></header>
{=svg}
<main>
<form id="filter" action="/" method="get" role="search">
<input type="search" name="q" value="{q}" placeholder="Search name, group or id" aria-label="Search name, group or id" autocomplete="off" spellcheck="false">
<select name="state" aria-label="State">{=states}</select><select name="provider" aria-label="Provider">{=providers}</select>
<input type="hidden" name="sort" value="{sort}"><input type="hidden" name="dir" value="{dir}"><button>Show</button></form>
{=overview}
<section id="list" class="panel" aria-labelledby="listed" tabindex="-1">
<div class="head"><h2 id="listed">Customers</h2><p id="found" role="status">{found}</p></div>
<table aria-labelledby="listed"><thead><tr>{=heads}</tr></thead><tbody id="rows">{=rows}</tbody></table>
<p id="nothing"{=something}>Nothing matches. <a data-view href="/">Show all</a></p>{=paging}
</section></main>
<template id="row">{=blank}</template>
<dialog id="dialog" aria-label="Explanation"><form method="dialog"><button aria-label="Close">✕</button></form><div id="answer" tabindex="-1"></div></dialog>
<div id="changes" role="log" aria-live="polite" aria-label="Changes"></div>
</body></html>
]]

--- The page.
---@param model table meta, age (seconds), problem, project, view, rows, page (the text of the query), size (rows of a page)
function page.whole(model)
  local meta, view = model.meta, model.view
  return fill(HEAD .. BODY, {
    title = "Installations", script = '<script src="/dashboard.js" defer></script>', version = meta and meta.version or "", project = model.project, q = view.q,
    sort = view.sort, dir = view.dir, freshness = model.problem and "stale" or "fresh",
    age = meta and ("updated %s ago"):format(age_text(model.age)) or "waiting for the first answer",
    svg = fill(SVG, { symbols = symbols() }), overview = page.overview(model),
    found = ("%s of %s"):format(number(#model.rows), number(meta and meta.count or 0)),
    states = state_options(view), providers = provider_options(model), heads = heads(view),
    rows = rows_html(model), paging = paging(model), something = #model.rows > 0 and " hidden" or "",
    blank = row_html { "", "", "", "", "healthy", "", "", "", "" },
  })
end

local ARTICLE = [[
<article class="why {state}"><div class="state">{=mark}<span>{word}</span></div><h2>{customer}</h2><p class="ids">{id} · {group} · {provider}</p>
{=answer}</article>]]

local function explained(found)
  if found.failed then
    return fill('<p class="problem">The explanation could not be fetched: {why}</p>', { why = found.failed })
  end
  local parts = { fill("<h3>Cause</h3><p>{cause}</p><h3>What to do</h3><p>{next_step}</p>", found) }
  if found.remedy and found.remedy ~= found.next_step then
    parts[#parts + 1] = fill("<h3>The server advises</h3><p>{remedy}</p>", found)
  end
  if found.url then
    parts[#parts + 1] = fill('<p><a class="action" href="{url}" rel="noreferrer noopener" target="_blank">Open the page where the customer logs in again</a></p>', found)
  end
  if found.operation ~= "" then
    parts[#parts + 1] = fill('<p class="ids">failed {action}: {operation}, {at}</p>', {
      action = found.action, operation = found.operation, at = table.concat({ time_texts(found.failed_at) }, " "),
    })
  end
  return table.concat(parts, "\n")
end

--- The page that explains an installation; `row` is nil when there is none.
function page.explanation(row, found, project)
  local article
  if row then
    article = fill(ARTICLE, {
      state = row[5], mark = mark(row[5]), word = WORD[row[5]], id = row[1], group = row[3], provider = row[4],
      customer = row[2] ~= "" and row[2] or row[3], answer = explained(found),
    })
  else
    article = '<article class="why"><h2>There is no such installation</h2><p>It was removed, or it never existed.</p></article>'
  end
  return fill(HEAD .. [[<body>{=svg}
<main class="alone"><div class="panel"><h1>Explanation</h1>
{=article}<p><a href="/">All installations of {project}</a></p></div></main></body></html>]], {
    title = "Explanation", script = "", svg = fill(SVG, { symbols = symbols() }), article = article, project = project,
  })
end

return page
