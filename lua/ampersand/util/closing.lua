--- Whether the Lua state is closing. Objects are finalized one after the other then, and some of them make requests:
--- what these open is never finalized, so it is closed here. What is older is finalized later, so the client loads this
--- before it has any objects.

local closing = { begun = false }

local opened = setmetatable({}, { __mode = "k" })

--- Closes the object at the latest when the state closes.
---@param object userdata
function closing.watch(object)
  opened[object] = true
end

local function close_all()
  closing.begun = true
  for object in pairs(opened) do object:close() end
end

local newproxy = rawget(_G, "newproxy") -- of Lua 5.1, where tables have no finalizers
closing.guard = newproxy and newproxy(true) or setmetatable({}, { __gc = close_all })
if newproxy then getmetatable(closing.guard).__gc = close_all end

return closing
