--- Tables and records for people: columns that fit the terminal, colours for health.

local cell = require "ampersand.cli.output.cell"
local columns = require "ampersand.cli.output.columns"
local deep = require "ampersand.util.deep"
local json = require "ampersand.cli.output.json"
local width = require "ampersand.cli.output.width"

local tables = {}

local GAP = 2
local NARROWEST = 8

local function total(widths)
  local sum = GAP * (#widths - 1)
  for _, each in ipairs(widths) do sum = sum + each end
  return sum
end

-- Widths cut at `cap`; the first column, which people copy, keeps its own unless it is longer than half the line.
local function capped(widths, cap, limit)
  local cut = {}
  for i, each in ipairs(widths) do
    cut[i] = math.min(each, i == 1 and math.max(cap, math.floor(limit / 2)) or cap)
  end
  return cut
end

--- Widths that fit into `limit` columns; those on the right go when there is no room for all.
---@param widths integer[] wished for
---@param limit integer? nil: no limit
---@return integer[] widths as many as are shown
function tables.fit(widths, limit)
  if not limit or total(widths) <= limit then return widths end
  local shown = {}
  for i, each in ipairs(widths) do shown[i] = each end
  while #shown > 1 and total(capped(shown, NARROWEST, limit)) > limit do shown[#shown] = nil end
  local cap = limit
  while cap > 1 and total(capped(shown, cap, limit)) > limit do cap = cap - 1 end
  local cut = capped(shown, cap, limit)
  if #cut == 1 then cut[1] = math.min(cut[1], limit) end
  return cut
end

local function line_of(cells, widths, paint_cell)
  local parts = {}
  for i, columns_wide in ipairs(widths) do
    local text = width.cut(cells[i], columns_wide)
    local blanks = i < #widths and (" "):rep(columns_wide - width.of(text)) or ""
    parts[i] = paint_cell(text, cells[i]) .. blanks
  end
  return (table.concat(parts, (" "):rep(GAP)):gsub(" +$", ""))
end

-- Numbers such as 1e3 and texts alike: absent and null are a dash.
local function cells_of(value, chosen)
  local cells = {}
  for i, column in ipairs(chosen) do
    local text = width.clean(cell(value, column.path))
    cells[i] = text == "" and "-" or text
  end
  return cells
end

local function widths_of(heads, rows)
  local widths = {}
  for i, head in ipairs(heads) do widths[i] = width.of(head) end
  for _, cells in ipairs(rows) do
    for i, text in ipairs(cells) do widths[i] = math.max(widths[i], width.of(text)) end
  end
  return widths
end

--- A writer of a table once all rows are there.
---@param write fun(text: string)
---@param settings table see output/writers
---@return table writer add, finish
function tables.writer(write, settings)
  local heads, rows = {}, {}
  for i, column in ipairs(settings.columns) do heads[i] = width.clean(column.heading) end
  local function bold(text) return settings.paint(text, "bold") end
  local function coloured(text, whole) return settings.paint(text, columns.colour(whole)) end
  return {
    add = function(value) rows[#rows + 1] = cells_of(value, settings.columns) end,
    finish = function()
      if #rows == 0 then return settings.say(settings.empty) end
      local widths = tables.fit(widths_of(heads, rows), settings.limit)
      if settings.header ~= false then write(line_of(heads, widths, bold) .. "\n") end
      for _, cells in ipairs(rows) do write(line_of(cells, widths, coloured) .. "\n") end
      local hidden = #heads - #widths
      if hidden > 0 then
        settings.say(("%d column%s did not fit; --wide shows all"):format(hidden, hidden == 1 and "" or "s"))
      end
    end,
  }
end

-- Records ---------------------------------------------------------------------------------------------------------

local FIRST = { "id", "name", "healthStatus", "status" }

local function record_keys(value)
  local keys, rest, taken = {}, {}, {}
  for _, name in ipairs(FIRST) do
    if value[name] ~= nil and not deep.is_list(value) then keys[#keys + 1], taken[name] = name, true end
  end
  for _, key in ipairs(json.keys(value)) do
    if not taken[key] then
      local list = type(value[key]) == "table" and next(value[key]) ~= nil and rest or keys
      list[#list + 1] = key
    end
  end
  for _, key in ipairs(rest) do keys[#keys + 1] = key end
  return keys
end

-- A list of plain values is one line, a table with something in it is not.
local function line_text(value)
  if type(value) ~= "table" then return cell({ v = value }, "v") end
  if next(value) == nil then return deep.is_list(value) and "[]" or "{}" end
  if not deep.is_list(value) then return nil end
  local texts = {}
  for i, each in ipairs(value) do
    if type(each) == "table" then return nil end
    texts[i] = cell({ v = each }, "v")
  end
  return table.concat(texts, ", ")
end

local function write_line(write, head, text, settings)
  text = width.clean(text)
  local room = settings.limit and math.max(settings.limit - width.of(head) - GAP, NARROWEST)
  local shown = text == "" and "-" or room and width.cut(text, room) or text
  write(settings.paint(head, "grey") .. (" "):rep(GAP) .. settings.paint(shown, columns.colour(text)) .. "\n")
end

local function write_record(write, value, indent, settings)
  local keys, widest = record_keys(value), 0
  for _, key in ipairs(keys) do
    if line_text(value[key]) then widest = math.max(widest, width.of(width.clean(tostring(key)))) end
  end
  for _, key in ipairs(keys) do
    local name, text = width.clean(tostring(key)), line_text(value[key])
    if text then
      write_line(write, indent .. width.pad(name, widest), text, settings)
    else
      write(indent .. settings.paint(name, "bold") .. "\n")
      write_record(write, value[key], indent .. "  ", settings)
    end
  end
end

--- Writes one value as lines "name  value", what is within a member indented below its name.
---@param write fun(text: string)
---@param value any
---@param settings table limit (terminal columns), paint
function tables.record(write, value, settings)
  local text = line_text(value)
  if text then return write(width.clean(text) .. "\n") end
  write_record(write, value, "", settings)
end

return tables
