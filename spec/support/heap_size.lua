--- The size of the heap in KB, when all that nobody uses has gone. In LuaJIT compiled code holds what it was compiled for, and
--- each collection halves the buffer for strings.
---@return number
return function()
  local compiler = rawget(_G, "jit")
  if compiler then compiler.flush() end
  for _ = 1, compiler and 10 or 2 do collectgarbage() end
  return collectgarbage "count"
end
