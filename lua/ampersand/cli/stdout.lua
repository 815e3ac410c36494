--- Standard output: buffered, flushed before every wait, and checked for errors.

local exit = require "ampersand.cli.exit"
local output = require "ampersand.util.output"

local stdout = {}

local BUFFER = 64 * 1024
local EBADF, EPIPE = 9, 32 -- on every system that has them

io.stdout:setvbuf("full", BUFFER)

local function check(ok, why, code)
  if ok then return end
  -- EPIPE: the reader has closed. Where SIGPIPE is ignored, this error is the only sign.
  if code == EPIPE then exit.with(exit.PIPE) end
  exit.with(exit.FAILURE, "cannot write the output: " .. tostring(why))
end

--- Writes data.
---@param text string
function stdout.write(text)
  check(output.write(io.stdout, text))
end

--- Passes on what is buffered.
function stdout.flush()
  check(output.flush(io.stdout))
end

-- What keeps the descriptors open that `fill_closed` has filled.
local filled = {}

--- Opens /dev/null for each standard descriptor that the caller has closed (`>&-`). Without it the next socket would be
-- number 1, and receive the output. It is opened for reading, so that writing to it fails and is noticed.
function stdout.fill_closed()
  for _, file in ipairs { io.stdin, io.stdout, io.stderr } do
    local _, _, code = file:seek "cur"
    if code == EBADF then filled[#filled + 1] = io.open "/dev/null" end
  end
end

--- Flushes before each wait of a stream, so that lines that have arrived are seen.
---@param stream ampersand.Stream after its first element
function stdout.follow(stream)
  local res = stream.res
  local wait = res and res.wait
  if not wait then return end
  res.wait = function()
    stdout.flush()
    return wait()
  end
end

--- Writes a whole file; `-` is standard output.
---@param path string
---@param text string
function stdout.file(path, text)
  if path == "-" then return stdout.write(text) end
  local file, why = io.open(path, "wb")
  local ok = file
  if ok then ok, why = file:write(text) end
  if ok then ok, why = file:close() elseif file then file:close() end
  if not ok then exit.with(exit.FAILURE, ("cannot write %s: %s"):format(path, tostring(why))) end
end

return stdout
