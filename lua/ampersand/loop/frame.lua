--- Requests in a program with a loop of its own, a game for one: `loop = frame.new()`, and client:poll(budget) in
-- every frame. Requests are made in coroutines; each is resumed by client:poll when its answer is there.

local frame = {}

local function raise(co, message)
  error(debug.traceback(co, tostring(message)), 0)
end

--- Makes the loop of one client.
---@param failed fun(co: thread, message: any)? takes the error of a coroutine; without it client:poll raises
---@return table
function frame.new(failed)
  local loop = { driven = true }
  local parked = {} -- coroutine -> "asleep" or "woken"
  local ready = {} -- the woken ones, in order
  failed = failed or raise

  function loop.inside()
    local co, main = coroutine.running()
    return co ~= nil and not main
  end

  function loop.park()
    local co = coroutine.running()
    parked[co] = "asleep"
    coroutine.yield()
    parked[co] = nil
  end

  function loop.wake(co)
    if parked[co] ~= "asleep" then return end
    parked[co] = "woken"
    ready[#ready + 1] = co
    if loop.woken then loop.woken() end
  end

  --- Runs `co` until it waits or ends.
  ---@param co thread
  function loop.start(co)
    if coroutine.status(co) == "dead" then -- closed while it waited
      parked[co] = nil
      return loop.strayed and loop.strayed(co, "its coroutine was closed")
    end
    local ok, message = coroutine.resume(co)
    if not ok then return failed(co, message) end
    if loop.strayed and not parked[co] and coroutine.status(co) == "suspended" then loop.strayed(co) end
  end

  --- Resumes the coroutines that were woken; returns their number.
  ---@return integer
  function loop.run()
    local batch = ready
    ready = {}
    for _, co in ipairs(batch) do
      if parked[co] == "woken" then loop.start(co) end -- unless the program has resumed it meanwhile
    end
    return #batch
  end

  --- Whether loop.run would resume somebody.
  ---@return boolean
  function loop.due()
    return ready[1] ~= nil
  end

  return loop
end

return frame
