--- What the program around us allows: waiting, background work, warnings in its log. In a plain program: waiting.

local core = require "ampersand.core"
local host = require "ampersand.util.host"

local background = {}

-- Where cosockets and ngx.sleep work.
local YIELDS = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true,
}

local ADVICE = {
  init = "start it from init_worker_by_lua with ngx.timer.at(0, ...)",
  init_worker = "start it with ngx.timer.at(0, ...)",
  exit_worker = "the worker is ending",
}
local USUAL_ADVICE = "make it in rewrite, access or content, or hand it to ngx.timer.at(0, ...)"

-- In init there is no request that could have a phase, and some builds raise.
local function phase_of(ngx)
  local known, phase = pcall(ngx.get_phase)
  return known and phase or "init"
end

local HAPROXY_PHASE = "HAProxy cannot wait here (in sample fetches, converters, and while it reads its configuration): "
  .. "make the call in an action, a service or core.register_task"

-- A sample fetch or converter that waits is ended by HAProxy, without an error that could be caught: those that are
-- registered after this module was loaded are marked while they run.
local cannot_wait = setmetatable({}, { __mode = "k" })

local function leave(co, ok, ...)
  cannot_wait[co] = nil
  if not ok then error((...), 0) end
  return ...
end

local function mark(haproxy, register)
  local original = haproxy[register]
  haproxy[register] = function(name, run)
    return original(name, function(...)
      local co = coroutine.running()
      cannot_wait[co] = true
      return leave(co, pcall(run, ...))
    end)
  end
end

-- While HAProxy reads its configuration nothing can be sent, and a socket that is touched breaks the process later. A
-- file's body is not a coroutine; the first task runs when that time is over.
local is_running = true

if host.haproxy() then
  mark(host.haproxy(), "register_fetches")
  mark(host.haproxy(), "register_converters")
  is_running = coroutine.isyieldable() -- luacheck: ignore 143
  if not is_running then host.haproxy().register_task(function() is_running = true end) end
end

--- Whether a request can be made here, or a wait; outside of nginx and HAProxy always.
---@return true? can, string? why not
function background.can_wait()
  if not is_running or (next(cannot_wait) and cannot_wait[coroutine.running()]) then return nil, HAPROXY_PHASE end
  local ngx = host.nginx()
  local phase = ngx and phase_of(ngx)
  if not phase or YIELDS[phase] then return true end
  return nil, ("no request can be made in nginx's phase %s: %s"):format(phase, ADVICE[phase] or USUAL_ADVICE)
end

--- Whether functions can run in the background.
function background.has_background()
  return host.nginx() ~= nil or host.haproxy() ~= nil
end

--- Runs a function in the background; only hosts with an event loop can.
---@param seconds number how long to wait before
---@param run fun()
---@return true? started, string? why not
function background.later(seconds, run)
  local ngx, haproxy = host.nginx(), host.haproxy()
  if haproxy then
    return pcall(haproxy.register_task, function()
      if seconds > 0 then haproxy.msleep(math.ceil(seconds * 1000)) end
      run()
    end)
  end
  if not ngx then return nil, "this program has no background" end
  local done, started, why = pcall(ngx.timer.at, seconds, function(premature)
    if not premature then run() end
  end)
  if not done then return nil, tostring(started) end
  return started and true, why
end

local said, said_count = {}, 0
local QUIET = 60 -- seconds between two warnings about one cause
local MOST_CAUSES = 1000

local function is_new(cause, dict)
  local now = core.now()
  if said[cause] and now - said[cause] < QUIET then return false end
  if said_count >= MOST_CAUSES then said, said_count = {}, 0 end
  if not said[cause] then said_count = said_count + 1 end
  said[cause] = now
  if not dict then return true end
  local _, why = dict:safe_add("warned:" .. cause, true, QUIET) -- no other entry is to go for this one
  return why ~= "exists"
end

--- Logs a warning, once a minute for each cause: in one worker, or over all that share `dict`.
---@param who string the module that speaks
---@param cause string what went wrong; the same words are the same cause
---@param words string
---@param dict table? nginx's shared memory, where there is no lua_shared_dict `ampersand`
function background.warn(who, cause, words, dict)
  local ngx, haproxy = host.nginx(), host.haproxy()
  if ngx and is_new(cause, ngx.shared.ampersand or dict) then ngx.log(ngx.WARN, who, ": ", words) end
  if haproxy and is_new(cause) then haproxy.Warning(who .. ": " .. words) end
end

return background
