--- Tokens that end calls which are under way: a call takes one as its option `cancel`, and cancel.token():cancel()
-- ends every call that holds it with kind "cancelled". A token stays cancelled.

local cancel = {}

---@class ampersand.CancelToken
---@field cancelled boolean
local Token = {}
Token.__index = Token

-- A token may live as long as the program; a watcher is kept alive by the call that added it.
local function watchers()
  return setmetatable({}, { __mode = "k" })
end

--- A fresh token, for any number of calls.
---@return ampersand.CancelToken
function cancel.token()
  return setmetatable({ cancelled = false, watchers = watchers() }, Token)
end

--- Ends the calls.
function Token:cancel()
  if self.cancelled then return end
  self.cancelled = true
  local told = self.watchers
  self.watchers = watchers()
  for watcher in pairs(told) do watcher() end
end

--- Has `watcher` called at the cancellation, until Token:unwatch, or until nothing else refers to it.
---@param watcher fun()
function Token:watch(watcher)
  self.watchers[watcher] = true
end

--- Forgets a watcher.
---@param watcher fun()
function Token:unwatch(watcher)
  self.watchers[watcher] = nil
end

--- Ends a stream where it stands, also while another coroutine waits for it: a stream outlives its request.
---@param res table a transport's answer
function Token:bind(res)
  local close = res.close
  local function stop() res.close(false) end
  function res.close(reusable)
    self:unwatch(stop)
    return close(reusable)
  end
  self:watch(stop)
end

return cancel
