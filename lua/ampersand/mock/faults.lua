-- Faults to inject. A fault is a table, or its short form for the command line: "status=503,next=2".

local problem = require "ampersand.mock.problem"
local core = require "ampersand.core"
local time = require "ampersand.time"

local faults = {}

--- Every field of a fault: name, type, meaning.
faults.words = {
  { "on", "string", "only this operation, by operationId; `proxy` for the proxy" },
  { "next", "number", "only the next N requests" },
  { "skip", "number", "let N requests pass first" },
  { "rate", "number", "only this share of the requests, 0 to 1" },
  { "delay", "number", "seconds to wait before the answer" },
  { "status", "number", "answer this status instead; the request has no effect" },
  { "retry_after", "number", "with status: seconds to send in Retry-After" },
  { "body", "string", "answer this text instead" },
  { "type", "string", "with body: its Content-Type" },
  { "location", "string", "with status: the Location to send" },
  { "slow", "number", "send the body at N bytes a second" },
  { "chunk", "number", "send the body in pieces of N bytes" },
  { "truncate", "number", "end the body properly after N bytes" },
  { "cut", "number", "close the connection after N bytes of the body" },
  { "reset", "number", "reset the connection after N bytes of the body" },
  { "stall", "number", "send nothing more after N bytes of the body" },
  { "drop", "boolean", "close without an answer; the request has no effect" },
  { "lose", "boolean", "apply the request, then close without an answer" },
  { "hang", "boolean", "apply the request, but never answer" },
}

--- Faults by one word.
faults.presets = {
  slow = { slow = 20000 },
  late = { delay = 1 },
  limit = { status = 429, retry_after = 1, rate = 0.2 },
  errors = { status = 500, rate = 0.2 },
  down = { status = 503 },
  cut = { cut = 2000 },
  reset = { reset = 2000 },
  stall = { stall = 2000 },
  hang = { hang = true },
}

local types = {}
for _, word in ipairs(faults.words) do types[word[1]] = word[2] end

--- Checks that a fault holds known fields of the right types.
---@return table|nil fault, string why
function faults.check(fault)
  for name, value in pairs(fault) do
    if not types[name] then return nil, ("unknown word %q in a fault"):format(tostring(name)) end
    if type(value) ~= types[name] then return nil, ("%s must be a %s"):format(name, types[name]) end
  end
  return fault
end

--- Reads the short form: a preset's name, or words with values, separated by commas.
---@return table|nil fault, string why
function faults.parse(text)
  local fault = {}
  for part in text:gmatch "[^,]+" do
    local name, value = part:match "^%s*([%l_]+)%s*=%s*(.-)%s*$"
    name = name or part
    if not value and faults.presets[name] then
      for word, setting in pairs(faults.presets[name]) do fault[word] = setting end
    elseif types[name] == "boolean" then
      fault[name] = value ~= "false"
    else
      fault[name] = types[name] == "number" and tonumber(value) or value or ""
    end
  end
  return faults.check(fault)
end

local Faults = {}
Faults.__index = Faults

--- A set of faults; a request gets the first that applies to it.
function faults.new()
  return setmetatable({ rules = {}, state = 1 }, Faults)
end

function Faults:add(fault)
  self.rules[#self.rules + 1] = { fault = fault, seen = 0, used = 0 }
end

function Faults:clear()
  self.rules = {}
end

-- Deterministic: the same requests are chosen at every run.
function Faults:chance(rate)
  self.state = self.state * 16807 % 2147483647
  return self.state / 2147483647 < rate
end

--- The fault for a request to this operation, or nil.
function Faults:choose(id)
  for _, rule in ipairs(self.rules) do
    local fault = rule.fault
    if not fault.on or fault.on == id then
      rule.seen = rule.seen + 1
      local due = rule.seen > (fault.skip or 0) and (not fault.next or rule.used < fault.next)
      if due and (not fault.rate or self:chance(fault.rate)) then
        rule.used = rule.used + 1
        return fault
      end
    end
  end
end

local function refuse(fault)
  local members = { headers = { Location = fault.location } }
  if fault.retry_after then
    members.headers["Retry-After"] = tostring(fault.retry_after)
    members.retryAfter = time.format(core.time() + fault.retry_after, nil, 6)
  end
  problem.refuse(fault.status, "This failure was injected.", members)
end

--- The response that a fault gives instead of the real one; nil where the request is to be served. Raises a problem.
function faults.answer(fault)
  if fault.drop then return { status = 500, headers = {}, body = "", fault = { lose = true } } end
  if fault.body then
    local headers = { ["Content-Type"] = fault.type or "text/html" }
    return { status = fault.status or 200, headers = headers, body = fault.body }
  end
  if fault.status then refuse(fault) end
end

return faults
