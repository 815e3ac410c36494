--- A canary: some installations of a plan are changed first and read again, before the rest is.

local argcheck = require "ampersand.util.argcheck"

local canary = {}

local OPTIONS = { share = "number", count = "count", wait = "wait", check = "function" }

--- The option `canary` of an edit, as a table; nil where there is to be none.
---@param given number|table|boolean|nil
---@param what string for messages
---@return { share: number?, count: integer?, wait: number?, check: function? }?
function canary.check(given, what)
  if not given then return nil end
  if type(given) == "number" then given = given < 1 and { share = given } or { count = given } end
  if type(given) ~= "table" then argcheck.raise(what .. ": `canary` is a share below 1, a number or a table") end
  argcheck.check(given, OPTIONS, what .. ": canary")
  local share = given.share
  if (share == nil) == (given.count == nil) or (share and not (share > 0 and share <= 1)) then
    argcheck.raise(what .. ": `canary` needs a share above 0 and up to 1, or a count")
  end
  return given
end

-- The entries of the canary are spread evenly over the plan, the same ones in every run.
local function filter(given, changed)
  local count = given.count or math.ceil(given.share * changed)
  count = math.min(count, changed)
  return function(n)
    return math.floor(n * count / changed) > math.floor((n - 1) * count / changed)
  end, count
end

local function became_unhealthy(installation, entry)
  if installation.healthStatus == "unhealthy" and entry.health ~= "unhealthy" then return nil, "it became unhealthy" end
  return true
end

-- Reads the canary's installations again; nil and why when one is unhealthy.
local function check_all(work, given, is_canary)
  work:sleep(given.wait or 0)
  local check = given.check or became_unhealthy
  for entry in work:plan() do
    if is_canary(entry.n) and work:state(entry.n) == "done" then
      local current, err = work:get(entry)
      local ok, why = current, tostring(err)
      if current then ok, why = check(current, entry) end
      if not ok then return nil, ("%s: %s"):format(entry.id, why or "the check returned false") end
    end
  end
  return true
end

--- Changes the canary's installations and checks them; stops the run when one is unhealthy.
---@param work table run
---@param given table as `canary.check` gives it
function canary.apply(work, given)
  local is_canary, count = filter(given, work.report.changed)
  work.report.canary = count
  if work.known.canary then return end
  work:pass(1, is_canary)
  if work.stopped then return end
  local ok, why = check_all(work, given, is_canary)
  ok = ok or false
  work:write { type = "canary", ok = ok, count = count, why = why }
  if work.settings.on_progress then work.settings.on_progress { outcome = "canary", ok = ok, why = why } end
  if not ok then
    work:stop("cancelled", ("the canary failed, nothing more was sent: %s; undo it with installations:undo(journal)")
      :format(why))
  end
end

return canary
