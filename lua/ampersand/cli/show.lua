--- Lists and values on their way to standard output: formats, summaries, `--fail-if`.

local chart = require "ampersand.cli.output.chart"
local columns = require "ampersand.cli.output.columns"
local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local exit = require "ampersand.cli.exit"
local html = require "ampersand.cli.output.html"
local json = require "ampersand.cli.output.json"
local names = require "ampersand.cli.names"
local printable = require "ampersand.util.terminal_text"
local selection = require "ampersand.cli.selection"
local stdout = require "ampersand.cli.stdout"
local template = require "ampersand.cli.output.template"
local terminal = require "ampersand.cli.terminal"
local writers = require "ampersand.cli.output.writers"

local unpack = table.unpack or unpack -- luacheck: ignore

local show = {}

-- Writers ---------------------------------------------------------------------------------------------------------

local TABULAR = { table = true, csv = true, tsv = true }

-- The columns a format needs before the first element: chosen, known for this kind, or nil.
local function columns_for(ctx, element, paths)
  if not TABULAR[ctx.kind] then return nil end
  if paths then return columns.selected(paths) end
  return columns.of(element, ctx.args.wide or ctx.kind ~= "table")
end

-- What the server's elements can be reduced to for this output; nil: everything is shown.
local function needed(ctx, chosen, paths)
  if chosen then
    local found = {}
    for i, column in ipairs(chosen) do found[i] = column.path end
    return found
  end
  if ctx.kind ~= "template" then return paths end
  local named = template.paths(ctx.template)
  return #named > 0 and named or { "id" }
end

local function empty_words(ctx, noun)
  if #(ctx.args.where or {}) > 0 then return ("no %s fits the conditions"):format(noun) end
  return ("there are no %ss"):format(noun)
end

local function settings_for(ctx, chosen)
  return {
    columns = chosen, header = not ctx.args.no_header, template = ctx.template, paint = ctx:brush(),
    spreadsheet = ctx.args.spreadsheet,
    limit = ctx.kind == "table" and ctx:limit() or nil, terminal = ctx.kind ~= "table" and terminal.is "stdout",
  }
end

local function writer_for(ctx, chosen, noun)
  local settings = settings_for(ctx, chosen)
  settings.say, settings.empty = function(text) ctx:note(text) end, empty_words(ctx, noun)
  return writers.list(ctx.kind, ctx:writer(), settings)
end

-- CSV of elements of an unknown kind: the columns are known once all values are.
local function late_writer(ctx, noun)
  local values = {}
  return {
    add = function(value) values[#values + 1] = value end,
    finish = function()
      local writer = writer_for(ctx, columns.guess(values), noun)
      for _, value in ipairs(values) do writer.add(value) end
      writer.finish()
    end,
  }
end

-- Numbers by size, everything else by its text; what is absent or null comes last.
local function precedes(a, b)
  if a == nil or b == nil then return a ~= nil and b == nil end
  if type(a) == "number" and type(b) == "number" then return a < b end
  return tostring(a) < tostring(b)
end

local function sorted_writer(writer, path, down)
  local values = {}
  local function order(a, b)
    local x, y = a.by, b.by
    if x == y then return a.place < b.place end
    if down and x ~= nil and y ~= nil then return precedes(y, x) end
    return precedes(x, y)
  end
  return {
    add = function(value)
      local by = deep.get(value, path)
      if by == core.null then by = nil end
      values[#values + 1] = { value = value, place = #values, by = by }
    end,
    finish = function()
      table.sort(values, order)
      for _, each in ipairs(values) do writer.add(each.value) end
      writer.finish()
    end,
  }
end

local function limited(ctx, writer)
  local left = ctx.args.max
  if not left then return writer end
  return {
    add = function(value)
      if left > 0 then writer.add(value) end
      left = left - 1
    end,
    finish = writer.finish,
    full = function() return left <= 0 end,
  }
end

local function write_summary(ctx, tally)
  if ctx.kind == "table" then
    return ctx.args.summary and tally:bars(stdout.write, { limit = terminal.columns(), paint = ctx:brush() })
  elseif ctx.kind == "json" then
    return stdout.write(json.text(tally:numbers()) .. "\n")
  end
  local writer = writer_for(ctx, columns.selected { "of", "value", "count" }, "installation")
  for _, row in ipairs(tally:rows()) do writer.add(row) end
  writer.finish()
end

-- Summaries write their files at the end.
local function summary_writer(ctx)
  local args, tally = ctx.args, chart.tally()
  local title = "Installations of " .. (ctx:settings().project or "the project")
  return {
    add = function(value) tally:add(value) end,
    finish = function()
      if args.svg then stdout.file(args.svg, html.picture(tally, title)) end
      if args.html then stdout.file(args.html, html.page(tally, title, os.date "!%Y-%m-%d %H:%M UTC")) end
      write_summary(ctx, tally)
      for _, file in ipairs { args.svg or false, args.html or false } do
        if file and file ~= "-" then ctx:note("written: " .. file) end
      end
    end,
  }
end

-- Lists -----------------------------------------------------------------------------------------------------------

-- "unhealthy" needs a field that the user may not have selected.
local function watch_condition(ctx, paths)
  local state, what = { count = 0, met = false }, ctx.args.fail_if
  local extra = what == "unhealthy" and paths ~= nil
  for _, path in ipairs(extra and paths or {}) do extra = extra and path ~= "healthStatus" end
  if extra then paths = { "healthStatus", unpack(paths) } end
  function state.see(value)
    state.count = state.count + 1
    state.met = state.met or what == "any" or what == "unhealthy" and value.healthStatus == "unhealthy"
    if extra then value.healthStatus = nil end
  end
  return state, paths
end

local function check_condition(what, count, met)
  if what and (met or what == "empty" and count == 0) then
    exit.with(exit.CONDITION, "condition not met: --fail-if " .. what)
  end
end

--- How a list is to be shown: the writer, and the paths it needs of each element.
---@return table plan writer, paths, noun
function show.plan(ctx, element, noun)
  local args, plan = ctx.args, { noun = noun, element = element, unseen = {} }
  if args.summary or args.svg or args.html then
    plan.writer, plan.paths = summary_writer(ctx), chart.paths()
  else
    local paths = selection.paths(ctx, element)
    local chosen = columns_for(ctx, element, paths)
    local late = TABULAR[ctx.kind] and ctx.kind ~= "table" and not chosen
    plan.paths = needed(ctx, chosen, paths)
    plan.unseen = names.set(paths, ctx.template and template.paths(ctx.template))
    plan.writer = late and late_writer(ctx, noun) or writer_for(ctx, chosen, noun)
  end
  plan.streams = ctx.kind ~= "table" and not args.sort
  plan.writer = limited(ctx, plan.writer)
  plan.full = not args.sort and plan.writer.full or function() return false end
  if args.sort then
    local path = selection.sort(ctx)
    plan.unseen[path] = true
    plan.writer = sorted_writer(plan.writer, path, args.reverse)
    if plan.paths then plan.paths = { path, unpack(plan.paths) } end
  end
  plan.state, plan.paths = watch_condition(ctx, plan.paths)
  return plan
end

-- Shows one element.
local function take(ctx, plan, value)
  plan.state.see(value)
  ctx:hide(value, plan.element)
  names.see(plan.unseen, value)
  plan.writer.add(value)
end

-- Notes how many secrets are hidden: on a terminal, and in scripts where the answer may not come again.
local function note_hidden(ctx)
  local count = ctx.hidden
  if count > 0 and (ctx.changes or ctx.kind ~= "table" and not ctx.args.quiet and terminal.is "stderr") then
    ctx:note((count == 1 and "1 secret is" or count .. " secrets are")
      .. " shown as [redacted]; --show-secrets shows all")
  end
end

-- Says what a condition or a path has to do with nothing; with --fail-if the condition decides, so that is an error.
local function check_blind(ctx, count, blind)
  if count > 0 or ctx.args.quiet and not ctx.args.fail_if then return end
  local words = blind()
  if words and ctx.args.fail_if then exit.with(exit.FAILURE, words .. ": --fail-if cannot decide") end
  if words then ctx:note(words) end
end

local function finish(ctx, plan)
  plan.writer.finish()
  stdout.flush()
  note_hidden(ctx)
  local count = plan.state.count
  local words = count > 0 and names.words(plan.unseen, plan.noun)
  if words then ctx:note(words) end
  check_blind(ctx, count, plan.blind)
  check_condition(ctx.args.fail_if, count, plan.state.met)
end

-- Ends the command with an error after some elements: lines that were printed stand, an array stays open.
local function break_off(ctx, plan, err)
  local count = plan.state.count
  if ctx.kind == "table" and count > 0 then plan.writer.finish() end
  stdout.flush()
  exit.fail(err, count > 0 and ("the list broke off after %d: "):format(count) .. tostring(err) or nil)
end

--- Shows what a stream brings.
---@param ctx ampersand.cli.Context
---@param plan table of show.plan
---@param stream ampersand.Stream
---@param blind fun(): string? asked where nothing came: the words for conditions that no element can meet
function show.stream(ctx, plan, stream, blind)
  plan.blind = blind
  local progress = terminal.progress(plan.noun .. "s", ctx.args.quiet)
  progress.streams = plan.streams
  while not plan.full() do
    local value, err = stream:next()
    if value == nil then
      progress:finish()
      if err then break_off(ctx, plan, err) end
      break
    end
    if plan.state.count == 0 then stdout.follow(stream) end
    take(ctx, plan, value)
    progress:tick()
  end
  stream:close()
  progress:finish()
  finish(ctx, plan)
end

--- Prints a number of things, and applies `--fail-if`.
---@param blind fun(): string? see show.stream
function show.count(ctx, n, blind)
  local what = ctx.args.fail_if
  if what == "unhealthy" then exit.usage "--count goes with --fail-if any or empty" end
  stdout.write(("%d\n"):format(n))
  check_blind(ctx, n, blind)
  check_condition(what, n, what == "any" and n > 0)
end

--- Shows values that are here already, through the filters. Secrets go first: a selection may hide what they are.
function show.list(ctx, values, element, noun)
  local conditions = selection.conditions(ctx, element)
  local unseen = names.set(#values > 0 and selection.condition_paths(conditions) or nil)
  for _, value in ipairs(values) do
    ctx:hide(value, element)
    names.see(unseen, value)
  end
  local function blind() return names.words(unseen, noun) end
  if ctx.args.count then return show.count(ctx, #selection.refine(values, conditions), blind) end
  local plan = show.plan(ctx, element, noun)
  plan.blind = blind
  for _, value in ipairs(selection.refine(values, conditions, plan.paths)) do
    if plan.full() then break end
    take(ctx, plan, value)
  end
  finish(ctx, plan)
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
    return stdout.write(value:sub(-1) == "\n" and value or value .. "\n")
  end
  if deep.is_list(value) then return show.list(ctx, value, element, "value") end
  local paths = selection.paths(ctx, element)
  local unseen = names.set(paths, ctx.template and template.paths(ctx.template))
  ctx:hide(value, element)
  names.see(unseen, value)
  if paths then value = selection.refine({ value }, {}, paths)[1] end
  local chosen = columns_for(ctx, element, paths) or columns.guess { value }
  writers.one(ctx.kind, ctx:writer(), value, settings_for(ctx, chosen))
  note_hidden(ctx)
  local words = names.words(unseen, element and element:lower() or "answer")
  if words then ctx:note(words) end
end

--- Shows an answer whose fields are not known: as JSON unless the flags say otherwise.
function show.json(ctx, value)
  if type(value) == "string" then ctx.kind = "table" elseif ctx.kind == "table" then ctx.kind = "json" end
  show.value(ctx, value)
end

return show
