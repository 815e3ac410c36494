--- Requests in a program with a loop of its own, a game for one: `loop = frame.new()`, and client:poll(budget) in
-- every frame. Requests are made in coroutines; each is resumed by client:poll when its answer is there.

local http = require "ampersand.http"

local frame = {}

local WOKEN = -1 -- stands for a time to resume: as soon as may be

local function raise(co, message)
  error(debug.traceback(co, tostring(message)), 0)
end

--- Makes the loop of one client.
---@param failed fun(co: thread, message: any)? takes the error of a coroutine; without it client:poll raises
---@return table
function frame.new(failed)
  failed = failed or raise
  local loop = { driven = true }
  local parked = setmetatable({}, { __mode = "k" }) -- coroutine -> when to resume it without a wake, or WOKEN
  local ready = {} -- coroutines to resume, in order

  function loop.inside()
    local co, main = coroutine.running()
    return co ~= nil and not main
  end

  function loop.park(seconds)
    local co = coroutine.running()
    parked[co] = http.now() + seconds
    coroutine.yield()
    parked[co] = nil
  end

  function loop.wake(co)
    if not parked[co] or parked[co] == WOKEN then return end
    parked[co] = WOKEN
    ready[#ready + 1] = co
    if loop.woken then loop.woken() end
  end

  local function wake_sleepers()
    local now = http.now()
    for co, due in pairs(parked) do
      if due ~= WOKEN and due <= now then
        parked[co] = WOKEN
        ready[#ready + 1] = co
      end
    end
  end

  --- Runs `co` until it waits or ends.
  ---@param co thread
  function loop.start(co)
    local ok, message = coroutine.resume(co)
    if not ok then failed(co, message) end
  end

  --- Resumes whoever may go on; answers how many there were.
  ---@return integer
  function loop.run()
    wake_sleepers()
    local batch = ready
    ready = {}
    for _, co in ipairs(batch) do
      if parked[co] == WOKEN then loop.start(co) end -- unless the program has resumed it meanwhile
    end
    return #batch
  end

  --- Seconds until loop.run has something to do; nil: nobody sleeps.
  ---@return number?
  function loop.timeout()
    if ready[1] then return 0 end
    local first
    for _, due in pairs(parked) do
      if due ~= WOKEN and (not first or due < first) then first = due end
    end
    return first and math.max(0, first - http.now())
  end

  return loop
end

return frame
