--- The program around us, as far as waiting, background work and logs go: nginx, HAProxy, or any other.

local core = require "ampersand.core"

local host = {}

--- nginx's table `ngx`; nil elsewhere.
function host.nginx()
  local ngx = rawget(_G, "ngx")
  return type(ngx) == "table" and ngx.get_phase and ngx or nil
end

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

--- Whether a request can be made here, or a wait; outside of nginx always.
---@return true? can, string? why not
function host.can_wait()
  local ngx = host.nginx()
  local phase = ngx and phase_of(ngx)
  if not phase or YIELDS[phase] then return true end
  return nil, ("no request can be made in nginx's phase %s: %s"):format(phase, ADVICE[phase] or USUAL_ADVICE)
end

--- Runs a function in the background; only hosts with an event loop can.
---@param seconds number how long to wait before
---@param run fun()
---@return true? started, string? why not
function host.later(seconds, run)
  local ngx = host.nginx()
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
function host.warn(who, cause, words, dict)
  local ngx = host.nginx()
  if ngx and is_new(cause, ngx.shared.ampersand or dict) then ngx.log(ngx.WARN, who, ": ", words) end
end

return host
