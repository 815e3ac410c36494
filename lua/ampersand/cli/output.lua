--- Standard output: buffered, flushed before every wait, and an end that is noticed.

local exit = require "ampersand.cli.exit"

local output = {}

local BUFFER = 64 * 1024

io.stdout:setvbuf("full", BUFFER)

local function check(ok, why, code)
  if ok then return end
  -- EPIPE: the reader has enough. Where the signal is ignored this is how we learn of it.
  if code == 32 then exit.with(exit.PIPE) end
  exit.with(exit.FAILURE, "cannot write the output: " .. tostring(why))
end

--- Writes data.
---@param text string
function output.write(text)
  check(io.stdout:write(text))
end

--- Hands on what is buffered.
function output.flush()
  check(io.stdout:flush())
end

--- Lets a stream's waits flush first, so that nobody waits for lines that are here already.
---@param stream ampersand.Stream after its first element
function output.follow(stream)
  local res = stream.res
  local wait = res and res.wait
  if not wait then return end
  res.wait = function()
    output.flush()
    return wait()
  end
end

--- Writes a whole file; `-` is standard output.
---@param path string
---@param text string
function output.file(path, text)
  if path == "-" then return output.write(text) end
  local file, why = io.open(path, "wb")
  local ok = file and file:write(text)
  if file then
    local closed, problem = file:close()
    ok, why = ok and closed, why or problem
  end
  if not ok then exit.with(exit.FAILURE, ("cannot write %s: %s"):format(path, tostring(why or "write failed"))) end
end

return output
