--- Lists and values on their way to standard output: filters, formats, summaries, exit codes.

local chart = require "ampersand.cli.chart"
local columns = require "ampersand.cli.columns"
local core = require "ampersand.core"
local exit = require "ampersand.cli.exit"
local filter = require "ampersand.cli.filter"
local format = require "ampersand.cli.format"
local output = require "ampersand.cli.output"
local printable = require "ampersand.util.terminal_text"
local query = require "ampersand.client.query"
local redact = require "ampersand.util.redact"
local tables = require "ampersand.cli.table"
local terminal = require "ampersand.cli.terminal"

local unpack = table.unpack or unpack -- luacheck: ignore

local show = {}

-- Filters ---------------------------------------------------------------------------------------------------------

local function checked(value, why)
  if why then exit.usage(why) end
  return value
end

--- The conditions of the command line.
function show.conditions(ctx)
  return checked(filter.conditions(ctx.args.where or {}))
end

--- The paths of the command line; nil without `--select`.
function show.paths(ctx)
  return checked(filter.paths(ctx.args.select or {}))
end

--- Filters and projects values that are here already, by the same C code that does it to lists on the way.
---@param values any[]
---@param conditions table[]
---@param paths string[]?
---@return any[]
function show.refine(values, conditions, paths)
  if #conditions == 0 and not paths then return values end
  local compiled = exit.guard(query.compile, conditions, paths)
  local decoder = core.decoder { select = compiled.plan }
  decoder:feed(assert(core.encode(core.array(values))))
  decoder:finish()
  local kept = {}
  local status, message
  repeat
    status, message = decoder:collect(kept)
    if not status then exit.with(exit.FAILURE, message) end
  until status == "end"
  return kept
end

-- Sinks -----------------------------------------------------------------------------------------------------------

local TABULAR = { table = true, csv = true, tsv = true }

-- The columns a format needs before the first element: chosen, known for this kind, or nil.
local function columns_for(ctx, element, paths)
  if not TABULAR[ctx.kind] then return nil end
  if paths then return columns.selected(paths) end
  return columns.of(element, ctx.args.wide or ctx.kind ~= "table")
end

local function paths_of(chosen)
  local paths = {}
  for i, column in ipairs(chosen) do paths[i] = column.path end
  return paths
end

--- What the server's elements can be reduced to for this output; nil: everything is shown.
local function needed(ctx, chosen, paths)
  if chosen then return paths_of(chosen) end
  if ctx.kind == "template" then
    local named = format.template_paths(ctx.template)
    return #named > 0 and named or { "id" }
  end
  return paths
end

local function empty_words(ctx, noun)
  if #(ctx.args.where or {}) > 0 then return ("no %s fits the conditions"):format(noun) end
  return ("there are no %ss"):format(noun)
end

local function sink_for(ctx, chosen, noun)
  local settings = {
    columns = chosen, header = not ctx.args.no_header, template = ctx.template, paint = ctx:brush(),
    say = function(text) ctx:note(text) end, empty = empty_words(ctx, noun),
    terminal = ctx.kind ~= "table" and terminal.is "stdout",
  }
  if ctx.kind == "table" then
    settings.limit = ctx:limit()
    return tables.sink(output.write, settings)
  end
  return format.sink(ctx.kind, output.write, settings)
end

-- CSV of things nobody has described: the columns are known once all values are.
local function late_sink(ctx, noun)
  local values = {}
  return {
    add = function(value) values[#values + 1] = value end,
    finish = function()
      local sink = sink_for(ctx, columns.guess(values), noun)
      for _, value in ipairs(values) do sink.add(value) end
      sink.finish()
    end,
  }
end

-- Numbers by size, everything else by its text; what is absent comes last.
local function precedes(a, b)
  if a == nil or b == nil then return a ~= nil and b == nil end
  if type(a) == "number" and type(b) == "number" then return a < b end
  return tostring(a) < tostring(b)
end

local function sorted_sink(sink, path, down)
  local values = {}
  local function order(a, b)
    local x, y = format.get(a.value, path), format.get(b.value, path)
    if x == y then return a.place < b.place end
    if down and x ~= nil and y ~= nil then return precedes(y, x) end
    return precedes(x, y)
  end
  return {
    add = function(value) values[#values + 1] = { value = value, place = #values } end,
    finish = function()
      table.sort(values, order)
      for _, each in ipairs(values) do sink.add(each.value) end
      sink.finish()
    end,
  }
end

local function limited(ctx, sink)
  local left = ctx.args.max
  if not left then return sink end
  return {
    add = function(value)
      if left > 0 then sink.add(value) end
      left = left - 1
    end,
    finish = sink.finish,
    full = function() return left <= 0 end,
  }
end

local function write_summary(ctx, tally)
  if ctx.kind == "table" then
    return ctx.args.summary and tally:bars(output.write, { limit = terminal.columns(), paint = ctx:brush() })
  elseif ctx.kind == "json" then
    return output.write(format.json(tally:numbers()) .. "\n")
  end
  local sink = sink_for(ctx, columns.selected { "of", "value", "count" }, "installation")
  for _, row in ipairs(tally:rows()) do sink.add(row) end
  sink.finish()
end

-- Summaries write their files at the end.
local function summary_sink(ctx)
  local args, tally = ctx.args, chart.tally()
  local title = "Installations of " .. (ctx:settings().project or "the project")
  return {
    add = function(value) tally:add(value) end,
    finish = function()
      if args.svg then output.file(args.svg, tally:svg(title)) end
      if args.html then output.file(args.html, tally:html(title, os.date "!%Y-%m-%d %H:%M UTC")) end
      write_summary(ctx, tally)
      for _, file in ipairs { args.svg or false, args.html or false } do
        if file and file ~= "-" then ctx:note("written: " .. file) end
      end
    end,
  }
end

-- Options together -------------------------------------------------------------------------------------------------

local FORMATS = { "json", "ndjson", "csv", "tsv", "yaml", "template" }
local NOT_COUNTED = { "wide", "no_header", "sort", "max", "summary", "svg", "html", unpack(FORMATS) }

local function refuse_any(args, names, words)
  for _, name in ipairs(names) do
    if args[name] then exit.usage(words:format((name:gsub("_", "-")))) end
  end
end

--- Ends the command when options of a list would be ignored, or spoil each other's output.
---@param args table
function show.check(args)
  if args.reverse and not args.sort then exit.usage "--reverse turns the order of --sort PATH round: give that, too" end
  if args.count then
    local words = "--count prints one number: --%s does not go with it"
    refuse_any(args, NOT_COUNTED, words)
    if #(args.select or {}) > 0 then exit.usage(words:format "select") end
  end
  if args.svg == "-" or args.html == "-" then
    local words = "--%s - and --%%s both write to standard output: choose one"
    if args.svg == args.html then exit.usage(words:format "svg":format "html -") end
    refuse_any(args, { "summary", unpack(FORMATS) }, words:format(args.svg == "-" and "svg" or "html"))
  end
end

-- Lists -----------------------------------------------------------------------------------------------------------

-- "unhealthy" needs a field that the user may not have selected.
local function watch_condition(ctx, paths)
  local state = { count = 0, met = false }
  local what = ctx.args.fail_if
  local extra = what == "unhealthy" and paths ~= nil
  for _, path in ipairs(extra and paths or {}) do extra = extra and path ~= "healthStatus" end
  if extra then
    local all = { "healthStatus" }
    for _, path in ipairs(paths) do all[#all + 1] = path end
    paths = all
  end
  function state.see(value)
    state.count = state.count + 1
    state.met = state.met or what == "any" or what == "unhealthy" and value.healthStatus == "unhealthy"
    if extra then value.healthStatus = nil end
  end
  function state.failed()
    return state.met or what == "empty" and state.count == 0
  end
  return state, paths
end

--- How a list is to be shown: the sink, and the paths it needs of each element.
---@return table plan sink, paths, noun
function show.plan(ctx, element, noun)
  local args, plan = ctx.args, { noun = noun, element = element, hidden = 0 }
  if args.summary or args.svg or args.html then
    plan.sink, plan.paths = summary_sink(ctx), chart.paths()
  else
    local paths = show.paths(ctx)
    local chosen = columns_for(ctx, element, paths)
    local late = TABULAR[ctx.kind] and ctx.kind ~= "table" and not chosen
    plan.paths = needed(ctx, chosen, paths)
    plan.sink = late and late_sink(ctx, noun) or sink_for(ctx, chosen, noun)
  end
  plan.streams = ctx.kind ~= "table" and not args.sort
  plan.sink = limited(ctx, plan.sink)
  local full = plan.sink.full
  if args.sort then
    local path = checked(filter.paths { args.sort })[1]
    plan.sink, full = sorted_sink(plan.sink, path, args.reverse), nil
    if plan.paths then plan.paths = { path, unpack(plan.paths) } end
  end
  plan.full = full or function() return false end
  plan.state, plan.paths = watch_condition(ctx, plan.paths)
  return plan
end

local function hide(ctx, value, element)
  if ctx.args.show_secrets then return 0 end
  local _, count = redact.value(value, element)
  return count
end

--- Shows one element.
local function take(ctx, plan, value)
  plan.state.see(value)
  plan.hidden = plan.hidden + hide(ctx, value, plan.element)
  plan.sink.add(value)
end

-- Tells a person about secrets that are not shown; in scripts only where something new may not come again.
local function note_hidden(ctx, count)
  if count == 0 or ctx.args.quiet then return end
  if ctx.changes or ctx.kind ~= "table" and terminal.is "stderr" then
    local words = count == 1 and "1 secret is" or count .. " secrets are"
    ctx:note(words .. " shown as [redacted]; --show-secrets shows all")
  end
end

local function finish(ctx, plan)
  plan.sink.finish()
  output.flush()
  note_hidden(ctx, plan.hidden)
  if plan.state.failed() then
    exit.with(exit.CONDITION, ("condition not met: --fail-if %s"):format(ctx.args.fail_if))
  end
end

--- Shows what a stream brings.
---@param ctx ampersand.cli.Context
---@param plan table of show.plan
---@param stream ampersand.Stream
function show.stream(ctx, plan, stream)
  local progress = terminal.progress(plan.noun .. "s", ctx.args.quiet)
  progress.streams = plan.streams
  local followed = false
  while not plan.full() do
    local value, err = stream:next()
    if err then
      progress:finish()
      if ctx.kind == "table" and plan.state.count > 0 then plan.sink.finish() end
      output.flush()
      exit.with(exit.code_of(err), plan.state.count > 0 and ("the list broke off after %d: %s"):format(plan.state.count,
        tostring(err)) or tostring(err))
    end
    if value == nil then break end
    if not followed then
      followed = true
      output.follow(stream)
    end
    take(ctx, plan, value)
    progress:tick()
  end
  stream:close()
  progress:finish()
  finish(ctx, plan)
end

--- Shows values that are here already.
function show.values(ctx, plan, values)
  for _, value in ipairs(values) do
    if plan.full() then break end
    take(ctx, plan, value)
  end
  finish(ctx, plan)
end

--- Prints a number of things, and minds `--fail-if`.
function show.count(ctx, n)
  local what = ctx.args.fail_if
  if what == "unhealthy" then exit.usage "--count goes with --fail-if any or empty" end
  output.write(("%d\n"):format(n))
  if what == "any" and n > 0 or what == "empty" and n == 0 then
    exit.with(exit.CONDITION, "condition not met: --fail-if " .. what)
  end
end

--- Shows values that are here already, through the filters. Secrets go first: a selection may hide what they are.
function show.list(ctx, values, element, noun)
  local conditions, hidden = show.conditions(ctx), 0
  for _, value in ipairs(values) do hidden = hidden + hide(ctx, value, element) end
  if ctx.args.count then return show.count(ctx, #show.refine(values, conditions)) end
  local plan = show.plan(ctx, element, noun)
  plan.hidden = hidden
  show.values(ctx, plan, show.refine(values, conditions, plan.paths))
end

-- Single values ---------------------------------------------------------------------------------------------------

--- Shows the answer of a call: an object, an array, a text or nothing.
---@param ctx ampersand.cli.Context
---@param value any
---@param element string?
function show.value(ctx, value, element)
  if value == true then return end
  if type(value) == "string" and ctx.kind == "table" then
    if terminal.is "stdout" then value = value:gsub("[^\t\n]+", printable) end
    return output.write(value:sub(-1) == "\n" and value or value .. "\n")
  end
  if type(value) == "table" and format.is_array(value) then
    return show.list(ctx, value, element, "value")
  end
  local paths = show.paths(ctx)
  note_hidden(ctx, hide(ctx, value, element))
  if paths then value = show.refine({ value }, {}, paths)[1] end
  if ctx.kind == "table" then
    return tables.record(output.write, value, { limit = ctx:limit(), paint = ctx:brush() })
  end
  local chosen = columns_for(ctx, element, paths) or columns.guess { value }
  format.one(ctx.kind, output.write, value, { columns = chosen, header = not ctx.args.no_header,
    template = ctx.template, terminal = ctx.kind ~= "table" and terminal.is "stdout" })
end

return show
