--- Several tasks at once in a plain script, a bounded number at a time. A task waits for its requests alone: it runs
-- as a coroutine that yields in them. In PUC Lua 5.1 it can do so neither inside pcall nor inside a `for` iterator.

local frame = require "ampersand.loop.frame"
local wait = require "ampersand.transport.scheduler"

local parallel = {}

-- One group of tasks: what came of them, and how far it is.
local function new_group(tasks)
  local group = { tasks = tasks, values = { n = #tasks }, errors = {}, place = {}, next = 1, running = 0 }
  local function give_up(co, message)
    wait.adopted[co] = nil
    group.errors[group.place[co]] = message == nil and "the task raised nil" or message
    group.running = group.running - 1
  end
  group.loop = frame.new(give_up)
  -- it is unknown here what it waits for, or when to resume it
  function group.loop.strayed(co, why)
    give_up(co, why or "the task yielded by itself; in client:parallel it waits for requests alone")
  end
  return group
end

local function start_next(group, waiters)
  local i = group.next
  local co = coroutine.create(function()
    local value, err = group.tasks[i]()
    if value == nil then group.errors[i] = err else group.values[i] = value end -- `err` is the `info` of a value
    group.running = group.running - 1
    wait.adopted[coroutine.running()] = nil -- before Lua 5.2 it would keep what it leads to
  end)
  group.next, group.running, group.place[co] = i + 1, group.running + 1, i
  wait.adopt(co, group.loop, waiters)
  group.loop.start(co)
end

-- What this coroutine, or the main program, waits for: that a task may go on.
local function as_target(group, waiters)
  function group.loop.woken() waiters:wake(group) end
  return { want = group.loop.due, id = function() return group end }
end

--- Runs every task, at most `n` at a time. One that fails does not stop the others. Requests through another client's
-- transport block.
---@param waiters ampersand.Waiters of the transport that the tasks use
---@param n integer how many at once
---@param tasks (fun(): any, any)[] each answers value, or nil and an error
---@return table values in the order of the tasks; `n` is their number, a failed one's place is nil
---@return table errors by place: what a task answered as its error, or raised
function parallel.run(waiters, n, tasks)
  local group = new_group(tasks)
  local target = as_target(group, waiters)
  repeat
    while group.running < n and group.next <= #tasks do start_next(group, waiters) end
    if group.running > 0 then
      waiters:await(target)
      group.loop.run()
    end
  until group.running == 0 and group.next > #tasks
  return group.values, group.errors
end

return parallel
