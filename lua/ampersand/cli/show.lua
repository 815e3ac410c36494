--- Lists and values on their way to standard output: formats, summaries, `--fail-if`.

local chart = require "ampersand.cli.output.chart"
local columns = require "ampersand.cli.output.columns"
local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local exit = require "ampersand.cli.exit"
local html = require "ampersand.cli.output.html"
local json = require "ampersand.cli.output.json"
local printable = require "ampersand.util.terminal_text"
local selection = require "ampersand.cli.selection"
local stdout = require "ampersand.cli.stdout"
local template = require "ampersand.cli.output.template"
local terminal = require "ampersand.cli.terminal"
local writers = require "ampersand.cli.output.writers"

local unpack = table.unpack or unpack -- luacheck: ignore

local show = {}

-- Writers ---------------------------------------------------------------------------------------------------------

-- The columns a format needs: chosen, known for this kind, or nil.
local function columns_for(ctx, element, paths)
  if not writers.TABULAR[ctx.kind] then return nil end
  if paths then return columns.selected(paths) end
  return columns.of(element, ctx.args.wide or ctx.kind ~= "table")
end

-- What the server's elements can be reduced to for this output; nil: everything is shown.
local function needed(ctx, chosen, paths)
  if ctx.kind == "template" then
    local named = template.paths(ctx.template)
    return #named > 0 and named or { "id" }
  end
  if not chosen then return paths end
  local found = {}
  for i, column in ipairs(chosen) do found[i] = column.path end
  return found
end

local function settings_for(ctx, chosen, noun)
  local args, is_table = ctx.args, ctx.kind == "table"
  return {
    columns = chosen, header = not args.no_header, template = ctx.template, spreadsheet = args.spreadsheet,
    paint = function(text, colour) return ctx:paint(text, colour) end,
    limit = is_table and not args.wide and terminal.columns() or nil,
    terminal = not is_table and terminal.is "stdout",
    say = function(text) ctx:note(text) end,
    empty = (#(args.where or {}) > 0 and "no %s fits the conditions" or "there are no %ss"):format(noun),
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

local function limited(writer, left)
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
  if ctx.kind == "json" then return stdout.write(json.text(tally:numbers()) .. "\n") end
  local settings = settings_for(ctx, columns.selected { "of", "value", "count" }, "installation")
  if ctx.kind == "table" then
    settings.limit = terminal.columns()
    return ctx.args.summary and tally:bars(stdout.write, settings)
  end
  local writer = writers.list(ctx.kind, ctx:writer(), settings)
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
      for _, file in ipairs { args.svg or "-", args.html or "-" } do
        if file ~= "-" then ctx:note("written: " .. file) end
      end
    end,
  }
end

-- Lists -----------------------------------------------------------------------------------------------------------

local Plan = {}
Plan.__index = Plan

--- How a list is to be shown: the writer, and the paths it needs of each element.
---@param ctx ampersand.cli.Context
---@param element string?
---@param noun string
---@return table plan
function show.plan(ctx, element, noun)
  local args, selected = ctx.args, selection.of(ctx, element)
  local self = setmetatable({ ctx = ctx, element = element, noun = noun, count = 0 }, Plan)
  if args.summary or args.svg or args.html then
    self.writer, self.paths, self.unseen = summary_writer(ctx), chart.DETAILS, selection.unseen { selected.sort }
  else
    local chosen = columns_for(ctx, element, selected.paths)
    self.paths, self.unseen = needed(ctx, chosen, selected.paths), selection.unseen(selected.shown)
    self.writer = writers.list(ctx.kind, ctx:writer(), settings_for(ctx, chosen, noun))
  end
  if args.max then self.writer = limited(self.writer, args.max) end
  if selected.sort then
    self.writer = sorted_writer(self.writer, selected.sort, args.reverse)
    self.paths = self.paths and { selected.sort, unpack(self.paths) }
  end
  if args.fail_if == "unhealthy" and self.paths then -- it needs a field that the user may not have selected
    self.adds_health = not selection.unseen(self.paths).set.healthStatus
    self.paths = { "healthStatus", unpack(self.paths) }
  end
  return self
end

function Plan:full()
  return self.writer.full ~= nil and self.writer.full()
end

-- Shows one element.
function Plan:take(value)
  self.count = self.count + 1
  self.unhealthy = self.unhealthy or type(value) == "table" and value.healthStatus == "unhealthy"
  if self.adds_health then value.healthStatus = nil end
  self.ctx:hide(value, self.element)
  self.unseen:see(value)
  self.writer.add(value)
end

-- Notes how many secrets are hidden: on a terminal, and in scripts where the answer may not come again.
local function note_hidden(ctx)
  local count = ctx.hidden
  if count > 0 and (ctx.changes or ctx.kind ~= "table" and not ctx.args.quiet and terminal.is "stderr") then
    ctx:note((count == 1 and "1 secret is" or count .. " secrets are")
      .. " shown as [redacted]; --show-secrets shows all")
  end
end

-- Applies --fail-if. Where nothing came, `blind` is asked for the words for conditions that no element can meet: then
-- --fail-if cannot decide, which is an error.
local function decide(ctx, count, unhealthy, blind)
  local what = ctx.args.fail_if
  local words = count == 0 and (what or not ctx.args.quiet) and blind()
  if words and what then exit.with(exit.FAILURE, words .. ": --fail-if cannot decide") end
  if words then ctx:note(words) end
  if what == "any" and count > 0 or what == "empty" and count == 0 or what == "unhealthy" and unhealthy then
    exit.with(exit.CONDITION, "condition not met: --fail-if " .. what)
  end
end

function Plan:finish(blind)
  self.writer.finish()
  stdout.flush()
  note_hidden(self.ctx)
  local words = self.count > 0 and self.unseen:words(self.noun)
  if words then self.ctx:note(words) end
  decide(self.ctx, self.count, self.unhealthy, blind)
end

-- Ends the command with an error after some elements: lines that were printed stand, an array stays open.
function Plan:break_off(err)
  if self.ctx.kind == "table" and self.count > 0 then self.writer.finish() end
  stdout.flush()
  exit.fail(err, self.count > 0 and ("the list broke off after %d: "):format(self.count) .. tostring(err) or nil)
end

--- Shows what a stream brings.
---@param plan table of show.plan
---@param stream ampersand.Stream
---@param blind fun(): string? asked where nothing came: the words for conditions that no element can meet
function show.stream(plan, stream, blind)
  local ctx = plan.ctx
  local progress = terminal.progress(plan.noun .. "s", ctx.args.quiet)
  progress.streams = ctx.kind ~= "table" and not ctx.args.sort
  while not plan:full() do
    local value, err = stream:next()
    if value == nil then
      progress:finish()
      if err then plan:break_off(err) end
      break
    end
    if plan.count == 0 then stdout.follow(stream) end
    plan:take(value)
    progress:tick()
  end
  stream:close()
  progress:finish()
  plan:finish(blind)
end

--- Prints a number of things, and applies `--fail-if`.
---@param blind fun(): string? see show.stream
function show.count(ctx, n, blind)
  if ctx.args.fail_if == "unhealthy" then exit.usage "--count goes with --fail-if any or empty" end
  stdout.write(("%d\n"):format(n))
  decide(ctx, n, false, blind)
end

--- Shows values that are here already, through the filters. Secrets go first: a selection may hide what they are.
function show.list(ctx, values, element, noun)
  local selected = selection.of(ctx, element)
  local unseen = selection.unseen(#values > 0 and selected.where_paths or {})
  for _, value in ipairs(values) do
    ctx:hide(value, element)
    unseen:see(value)
  end
  local function blind() return unseen:words(noun) end
  if ctx.args.count then return show.count(ctx, #selection.refine(values, selected.where), blind) end
  local plan = show.plan(ctx, element, noun)
  for _, value in ipairs(selection.refine(values, selected.where, plan.paths)) do
    if plan:full() then break end
    plan:take(value)
  end
  plan:finish(blind)
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
  local selected = selection.of(ctx, element)
  local unseen = selection.unseen(selected.shown)
  ctx:hide(value, element)
  unseen:see(value)
  if selected.paths then value = selection.refine({ value }, {}, selected.paths)[1] end
  local noun = element and element:lower() or "answer"
  writers.one(ctx.kind, ctx:writer(), value, settings_for(ctx, columns_for(ctx, element, selected.paths), noun))
  note_hidden(ctx)
  local words = unseen:words(noun)
  if words then ctx:note(words) end
end

--- Shows an answer whose fields are not known: as JSON unless the flags say otherwise.
function show.json(ctx, value)
  if type(value) == "string" then ctx.kind = "table" elseif ctx.kind == "table" then ctx.kind = "json" end
  show.value(ctx, value)
end

return show
