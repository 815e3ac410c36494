--- What the records of a journal say: its plan, the state of each installation, and whether records may be missing.

local journal = require "ampersand.fleet.journal"

local BEGINS, OUTCOMES = journal.BEGINS, journal.OUTCOMES

local history = {}

---@class ampersand.fleet.States  of the installations of one direction, by their number in the plan
---@field state table<integer, string>   type of the last record about it
---@field version table<integer, table>  what it became, where it is done
---@field sent table<integer, number>    when the request was announced whose answer is not known
---@field conflict table<integer, true>  skipped, since another editor changed it

local function new_states()
  return { state = {}, version = {}, sent = {}, conflict = {} }
end

--- Takes a record into what is known.
---@param states ampersand.fleet.States
---@param record table
function history.note(states, record)
  if not OUTCOMES[record.type] then return end
  local n = record.n
  states.state[n], states.conflict[n] = record.type, record.conflict
  if record.type == "done" then states.version[n] = { config = record.config, updateTime = record.updateTime } end
  states.sent[n] = record.type == "send" and tonumber(record.time) or nil
end

local function new_known()
  return { edit = new_states(), undo = new_states(), damaged = {}, plans = 0, last = 0, first = 1 }
end

local take = {}

function take.damaged(known, record)
  known.damaged[#known.damaged + 1] = record.line
end

function take.plan(known, record, place)
  if known.planned or record.n > place then return end
  known.plans, known.last = known.plans + 1, math.max(known.last, record.n)
end

function take.planned(known, record)
  -- no more can be missing than lines that cannot be read
  record.changed = math.max(known.last, math.min(record.changed, known.last + #known.damaged))
  known.planned = known.planned or record
end

take["end"] = function(known, record)
  known.running = false
  if record.whole then known.lost = false end
end

function take.canary(known, record)
  known.canary = record.ok
end

-- Where requests were announced, the plan was whole.
local function take_outcome(known, record)
  known.planned = known.planned or { listed = known.last, changed = known.last }
  if record.n <= known.planned.changed then history.note(record.undo and known.undo or known.edit, record) end
end

-- An edit whose plan was not finished is planned anew, further down.
local function take_begin(known, record, place)
  if record.type == "edit" and not known.planned then
    for name, value in pairs(new_known()) do known[name] = value end
    known.header, known.first = record, place
  end
  if known.running then known.lost = true end
  if record.type == "undo" then known.undoing = true end
  known.running = known.planned ~= nil
end

--- Reads what a journal says.
--
-- `header` and `planned` are those records, nil where there are none; `first` is the place of the header among the
-- records, `plans` the number of installations of the plan that can be read; `edit` and `undo` are their states;
-- `undoing` is true after an undo has begun, `canary` is its outcome; `damaged` are the numbers of lines that cannot be
-- read; `lost` is true if written records may be missing.
---@param reader fun(): table?
---@return table known
function history.read(reader)
  local known, place = new_known(), 0
  for record in reader do
    place = place + 1
    if BEGINS[record.type] then
      take_begin(known, record, place)
    elseif OUTCOMES[record.type] then
      take_outcome(known, record)
    elseif take[record.type] then
      take[record.type](known, record, place)
    end
    if record.type == "planned" then known.running = true end
  end
  known.lost = known.lost or known.running or #known.damaged > 0
  return known
end

--- The plan of an edit, entry after entry.
---@param reader fun(): table?
---@param first integer place of the edit's header
---@return fun(): table? next
function history.plan(reader, first)
  for _ = 1, first do reader() end
  return function()
    local record
    repeat
      record = reader()
      if not record or record.type == "planned" or OUTCOMES[record.type] then return nil end
    until record.type == "plan"
    return record
  end
end

return history
