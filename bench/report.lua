-- Writes bench/report/, and the figures of README.md and docs/performance.md, out of the rows that the benchmarks left:
-- `make bench` runs them and then this.
-- Usage: report.lua ROWS-DIRECTORY REPORT-DIRECTORY
package.path = "bench/?.lua;" .. package.path

local json = require "ampersand.json"
local plot = require "support.plot"

local FROM, TO = arg[1], arg[2]

local function output(command)
  local pipe = assert(io.popen(command .. " 2>/dev/null"))
  local text = pipe:read "*a"
  pipe:close()
  return (text:gsub("%s+$", ""))
end

local function rows_of(name)
  local file = io.open(("%s/%s.json"):format(FROM, name))
  if not file then return {} end
  local rows = json.decode(file:read "*a")
  file:close()
  return rows
end

local function write(name, text)
  local file = assert(io.open(TO .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

--- The rows for which every field given is as given.
local function where(rows, fields)
  local found = {}
  for _, row in ipairs(rows) do
    local fits = true
    for name, value in pairs(fields) do fits = fits and row[name] == value end
    if fits then found[#found + 1] = row end
  end
  return found
end

--- The values of a field, each once, in the order of their first appearance.
local function distinct(rows, field)
  local list, seen = {}, {}
  for _, row in ipairs(rows) do
    local value = row[field]
    if value ~= nil and not seen[value] then
      seen[value] = true
      list[#list + 1] = value
    end
  end
  return list
end

local page = {}

local function say(...)
  page[#page + 1] = table.concat { ... }
end

--- Seconds are shown in the unit that suits them.
local function figure(row)
  -- "wall ms" says in the line's name what was measured
  local value, unit = row.figure, row.unit:match "^thousand.*" or row.unit:match "%S+$"
  if unit == "s" and value < 1e-3 then return plot.number(value * 1e6) .. " µs" end
  if unit == "s" and value < 1 then return plot.number(value * 1e3) .. " ms" end
  return plot.number(value) .. " " .. unit
end

-- Quartiles are the ratio's where two ways ran in pairs, else the figure's.
local function compared(row)
  local spread = row.low and (" %s-%s"):format(plot.number(row.low), plot.number(row.high)) or ""
  if row.bench ~= "decode" then
    return spread .. (row.ratio and row.ratio ~= 1 and (" (**%.2f**)"):format(row.ratio) or "")
  end
  return row.ratio and row.ratio ~= 1 and (" (**%.2f**%s)"):format(row.ratio, spread) or ""
end

--- One line per work: every library's figure, with its ratio.
local function matrix(rows)
  local libraries = distinct(rows, "library")
  say("| | ", table.concat(libraries, " | "), " |")
  say("|---|", ("---:|"):rep(#libraries))
  for _, work in ipairs(distinct(rows, "work")) do
    for _, unit in ipairs(distinct(where(rows, { work = work }), "unit")) do
      local cells = {}
      for i, library in ipairs(libraries) do
        local row = where(rows, { work = work, library = library, unit = unit })[1]
        cells[i] = row and figure(row) .. compared(row) or ""
      end
      local measured = unit:match "^(.+) %S+$"
      say("| ", work, measured and " (" .. measured .. ")" or "", " | ", table.concat(cells, " | "), " |")
    end
  end
  say ""
end

-- --- where others are ahead ----------------------------------------------------------------------------------------

-- Lower bounds, and builds of ours that are there for comparison.
local function is_rival(library)
  return not (library:find "floor$" or library:find "alone$" or library:find "^ampersand")
end

local function is_ours(library)
  return library:find "^ampersand" and not library:find "no SIMD"
end

--- The best row of those that `fits` accepts; rates are better when they are higher.
local function best_of(rows, fits)
  local best
  for _, row in ipairs(rows) do
    local sign = row.unit:find "/s$" and -1 or 1
    if fits(row.library) and (not best or sign * row.figure < sign * best.figure) then best = row end
  end
  return best
end

--- Every work that another library does in less, or with less, than ours: what to improve comes first.
local function others_ahead()
  local groups, lines = {}, {}
  for _, name in ipairs { "decode-5.4", "decode-jit", "growth", "http", "cli", "nginx" } do
    for _, row in ipairs(rows_of(name)) do
      local where_measured = name:find "^decode" and row.lua or nil
      local key = table.concat({ row.work, where_measured or "", row.data or "", row.unit, row.n or "" }, ", ")
      if not groups[key] then
        groups[key] = {}
        groups[#groups + 1] = groups[key]
      end
      table.insert(groups[key], row)
    end
  end
  for _, rows in ipairs(groups) do
    local ours, other = best_of(rows, is_ours), best_of(rows, is_rival)
    local share = ours and other and ours.figure / other.figure
    if share and ours.unit:find "/s$" then share = 1 / share end
    if share and share > 1.02 and other.figure > 0 then -- 0: less than the clock of CPU time shows
      local parts = { ours.work, ours.data, ours.bench == "decode" and ours.lua or nil }
      if ours.n then parts[#parts + 1] = plot.number(ours.n) .. " installations" end
      lines[#lines + 1] = ("| %s | %s | %s | %s | %.2f |"):format(
        table.concat(parts, ", "), figure(ours), figure(other), other.library, share)
    end
  end
  say "## Where others are ahead\n"
  if #lines == 0 then
    say "Nowhere in this run.\n"
    return
  end
  say "| | ampersand | the other | | ours / theirs |"
  say "|---|---:|---:|---|---:|"
  for _, line in ipairs(lines) do say(line) end
  say ""
end

-- --- decoding --------------------------------------------------------------------------------------------------------

local function decoding()
  local all = {}
  for _, name in ipairs { "decode-5.4", "decode-jit" } do
    for _, row in ipairs(rows_of(name)) do all[#all + 1] = row end
  end
  if #all == 0 then return end
  say "## JSON\n"
  say "After each figure: how many times faster than lua-cjson (or how many times less memory), the median of paired"
  say "rounds with its quartiles.\n"
  say "![decoding](decode.svg)\n"
  local groups, names = {}, {}
  for _, lua in ipairs(distinct(all, "lua")) do
    for _, data in ipairs(distinct(where(all, { lua = lua, work = "full decode, 100, all" }), "data")) do
      local group = { label = lua .. ", " .. data }
      for _, row in ipairs(where(all, { lua = lua, data = data, work = "full decode, 100, all" })) do
        group[row.library] = row.ratio
      end
      groups[#groups + 1] = group
    end
  end
  for _, row in ipairs(where(all, { work = "full decode, 100, all" })) do names[#names + 1] = row end
  write("decode.svg", plot.bars {
    title = "Decoding 100 installations", note = "times as fast as lua-cjson; the floor only builds the tables",
    names = distinct(names, "library"), groups = groups,
  })
  for _, lua in ipairs(distinct(all, "lua")) do
    for _, data in ipairs(distinct(where(all, { lua = lua }), "data")) do
      say("### ", lua, ", ", data, "\n")
      matrix(where(all, { lua = lua, data = data }))
    end
  end
end

-- --- growth ----------------------------------------------------------------------------------------------------------

local function grown(rows, work)
  local series = {}
  for i, library in ipairs(distinct(rows, "library")) do
    local points = {}
    for k, row in ipairs(where(rows, { work = work, library = library })) do points[k] = { row.n, row.figure } end
    series[i] = { name = library, points = points }
  end
  return series
end

local function growth()
  local rows = rows_of "growth"
  if #rows == 0 then return end
  say "## How cost grows\n"
  say "Whole processes, from start to end, over HTTP on loopback; the best of three runs below 100,000 installations.\n"
  for _, picture in ipairs {
    { "peak", "memory", "Peak memory", "MB" },
    { "whole", "time", "Time to the end", "ms, with the start of the process" },
    { "first", "first", "Time to the first installation", "ms, with the start of the process" },
  } do
    say("![", picture[3], "](", picture[2], ".svg)\n")
    write(picture[2] .. ".svg", plot.lines {
      title = picture[3], note = picture[4], x = "installations", ours = 2, series = grown(rows, picture[1]),
    })
  end
  local titles = { whole = "ms to the end", first = "ms to the first installation", peak = "peak MB" }
  for _, work in ipairs { "whole", "first", "peak" } do
    local libraries = distinct(rows, "library")
    say("| ", titles[work], " | ", table.concat(libraries, " | "), " |")
    say("|---:|", ("---:|"):rep(#libraries))
    for _, n in ipairs(distinct(rows, "n")) do
      local cells = {}
      for i, library in ipairs(libraries) do
        local row = where(rows, { work = work, library = library, n = n })[1]
        cells[i] = row and plot.number(row.figure) or ""
      end
      say("| ", plot.number(n), " | ", table.concat(cells, " | "), " |")
    end
    say ""
  end
  local each = {}
  for _, row in ipairs(where(rows, { work = "whole", library = "ampersand each" })) do
    if row.n >= 10000 then each[#each + 1] = ("%.1f µs at %s"):format(row.figure * 1000 / row.n, plot.number(row.n)) end
  end
  if #each > 0 then say("`each`, for one installation: ", table.concat(each, ", "), ".\n") end
end

--- What one installation costs among many: growth with the number alone keeps a line level.
local function scale()
  local rows = rows_of "scale"
  if #rows == 0 then return end
  local numbers = distinct(rows, "n")
  table.sort(numbers)
  say "## What one installation costs among many\n"
  local head = {}
  for i, n in ipairs(numbers) do head[i] = plot.number(n) end
  say("| | ", table.concat(head, " | "), " |")
  say("|---|", ("---:|"):rep(#numbers))
  for _, work in ipairs(distinct(rows, "work")) do
    local cells = {}
    for i, n in ipairs(numbers) do
      local row = where(rows, { work = work, n = n })[1]
      cells[i] = row and figure(row) or ""
    end
    say("| ", work, " | ", table.concat(cells, " | "), " |")
  end
  say ""
end

-- --- the others ------------------------------------------------------------------------------------------------------

local function http()
  local rows = rows_of "http"
  if #rows == 0 then return end
  say "## HTTP\n"
  say "Medians with quartiles, and in bold the share of the rival's, Lua-cURL with lua-cjson. libcurl alone only"
  say "downloads.\n"
  local requests = where(rows, { work = "5,000 warm small requests" })
  if #requests > 0 then
    local group = { label = "one connection, HTTP/1.1" }
    for _, row in ipairs(requests) do group[row.library] = 5000 / (row.figure / 1000) end
    say "![requests a second](requests.svg)\n"
    write("requests.svg", plot.bars {
      title = "Small requests a second", note = "warm, one after the other, one installation each",
      names = distinct(requests, "library"), groups = { group },
    })
  end
  matrix(rows)
end

local function command_line()
  local rows = rows_of "cli"
  if #rows == 0 then return end
  say "## Command line\n"
  matrix(rows)
end

local function inside_nginx()
  local rows = rows_of "nginx"
  if #rows == 0 then return end
  say "## Inside nginx\n"
  local gates = {}
  for _, row in ipairs(rows) do
    if row.work == "requests/s of a page" then gates[#gates + 1] = row end
  end
  if #gates > 0 then
    local group = { label = "one worker, wrk" }
    for _, row in ipairs(gates) do group[row.library] = row.figure end
    say "![the gate](gate.svg)\n"
    write("gate.svg", plot.bars {
      title = "Requests a second through the health gate", note = "the same location with and without it",
      names = distinct(gates, "library"), groups = { group },
    })
  end
  say "| | | median | rounds | to the first |"
  say "|---|---|---:|---:|---:|"
  for _, row in ipairs(rows) do
    if not row.work:find "^promise" then
      say("| ", row.work, " | ", row.library, " | ", figure(row), " | ",
        row.low and plot.number(row.low) .. " to " .. plot.number(row.high) or "", " | ",
        row.ratio and ("%.2f"):format(row.ratio) or "", " |")
    end
  end
  say ""
end

-- --- the figures of README.md and docs/performance.md --------------------------------------------------------------

local OPENING, CLOSING = "<!-- figures: make bench -->", "<!-- /figures -->"

-- Replaces what stands between two comments of a page.
local function insert(name, lines)
  local file = assert(io.open(name))
  local text = file:read "*a"
  file:close()
  local first, last = text:find(OPENING, 1, true), text:find(CLOSING, 1, true)
  if not first or not last then error(name .. " has no place for the figures") end
  file = assert(io.open(name, "w"))
  file:write(text:sub(1, first + #OPENING - 1), "\n", table.concat(lines, "\n"), "\n", text:sub(last))
  file:close()
end

-- One row: our figure and a rival's for the same work; nil where one of them is missing.
local function compare(rows, fields, rival, name)
  local ours = where(rows, fields)[1]
  fields.library = rival
  local theirs = ours and where(rows, fields)[1]
  if not theirs then return nil end
  name = name:gsub("COUNT", plot.number(ours.n or 0))
  return ("| %s | %s | %s | %s |"):format(name, figure(ours), figure(theirs), rival)
end

local HEAD = { "| | ampersand | compared with | |", "|---|---:|---:|---|" }

-- The rows of docs/performance.md; those of the README carry its mark.
local function figures()
  local all, some = { HEAD[1], HEAD[2] }, { HEAD[1], HEAD[2] }
  local function add(rows, fields, rival, name, in_readme)
    local line = compare(rows, fields, rival, name)
    all[#all + 1] = line
    if in_readme then some[#some + 1] = line end
  end
  for _, lua in ipairs { "5.4", "jit" } do
    local rows, title = rows_of("decode-" .. lua), lua == "jit" and "LuaJIT" or "Lua " .. lua
    for _, row in ipairs {
      { "decode 100 installations", "full decode, 100", "s" },
      { "go through COUNT in a file", "iterate", "s" },
      { "the same, peak memory", "iterate, peak", "MB" },
      { "the same, three fields of each", "select of 3 fields", "s" },
    } do
      add(rows, { work = row[2], data = "page", unit = row[3], library = "ampersand" }, "lua-cjson",
        ("%s, %s"):format(row[1], title), lua == "5.4" and row[2] == "full decode, 100")
    end
  end
  local over_http = rows_of "http"
  for _, row in ipairs {
    { "list 10,000", "`list` 10,000 over HTTP, CPU", true },
    { "each 10,000 with where and select", "three fields of the unhealthy of 10,000, CPU" },
    { "50 at once, https, HTTP/1.1", "50 HTTPS requests at once" },
  } do
    for _, ours in ipairs(where(over_http, { work = row[1], library = "ampersand" })) do
      local fields = { work = row[1], unit = ours.unit, library = "ampersand" }
      add(over_http, fields, "Lua-cURL and lua-cjson", row[2], row[3])
    end
  end
  local growing = rows_of "growth"
  for _, library in ipairs { "Lua-cURL and lua-cjson", "node fetch" } do
    for _, row in ipairs {
      { "peak", "`each` over COUNT over HTTP, peak memory", library ~= "node fetch" },
      { "first", "the same, until the first is there" }, { "whole", "the same, until the last is there" },
    } do
      add(growing, { work = row[1], n = 100000, library = "ampersand each" }, library, row[2], row[3])
    end
  end
  return all, some
end

local function write_figures(made_on)
  local all, some = figures()
  for _, lines in ipairs { all, some } do
    lines[#lines + 1] = ""
    lines[#lines + 1] = made_on
  end
  table.insert(some, 1, "![Peak memory](bench/report/memory.svg)\n")
  insert("docs/performance.md", all)
  insert("README.md", some)
end

local function machine()
  local memory = tonumber(output "awk '/MemTotal/ { print $2 }' /proc/meminfo") or 0
  say "# Benchmarks\n"
  say "Made by `make bench`. Other figures come from other machines; compare within a table.\n"
  local made_on = table.concat {
    "Made on ", os.date "!%Y-%m-%d", ": ", output "nproc", " cores of ",
    output "awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo", (", %.0f GB, "):format(memory / 2 ^ 20),
    output ". /etc/os-release; echo $PRETTY_NAME", ".",
  }
  local versions = require "ampersand".versions()
  say(made_on)
  say("ampersand ", versions.ampersand, ", libcurl ", versions.libcurl, ", ", versions.tls, "; ",
    output "lua5.4 -v | cut -d' ' -f1,2", ", ", output "luajit -v | cut -d' ' -f1,2", "; lua-cjson ",
    require "cjson"._VERSION, ", node ", output "node --version", ", ", output "jq --version", ".\n")
  return made_on
end

local made_on = machine()
others_ahead()
decoding()
growth()
scale()
http()
command_line()
inside_nginx()
write("README.md", table.concat(page, "\n"))
write_figures(made_on)
print(TO .. "/README.md")
