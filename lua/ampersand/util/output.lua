--- Writing to files, so that every failure is seen.
--
-- LuaJIT's compiled code repeats a write or a flush that has failed, and returns what the second one does. The C
-- library has dropped the text by then: the second succeeds. So these two are not compiled.

local output = {}

--- Writes texts.
---@return file*? file, string? message, integer? code
function output.write(file, ...)
  return file:write(...)
end

--- Passes on what is buffered.
---@return file*? file, string? message, integer? code
function output.flush(file)
  return file:flush()
end

local compiler = rawget(_G, "jit")
if compiler then
  compiler.off(output.write)
  compiler.off(output.flush)
end

return output
