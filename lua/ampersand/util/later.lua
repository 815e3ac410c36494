-- A mock server for a module: the first use of one of its names loads it. What a plain call does not need is not compiled
-- for it; that is the larger part of this library, and of the time to the first answer.

---@param name string
---@return table
return function(name)
  return setmetatable({}, {
    __index = function(self, key)
      local value = require(name)[key]
      rawset(self, key, value)
      return value
    end,
  })
end
