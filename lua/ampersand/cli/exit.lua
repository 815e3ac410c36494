--- How a command ends: the exit codes, and which failure has which.

local Error = require "ampersand.client.error"
local is_interrupt = require "ampersand.util.is_interrupt"
local wording = require "ampersand.cli.wording"

local exit = {}

exit.OK, exit.FAILURE, exit.USAGE, exit.CONDITION, exit.AUTH, exit.TIMEOUT = 0, 1, 2, 3, 4, 5
exit.INTERRUPTED, exit.PIPE = 130, 141

--- The codes in words, for --help and the manual.
exit.MEANINGS = {
  { 0, "done" },
  { 1, "failed: the server refused, the network broke, a file could not be written" },
  { 2, "wrong usage: an unknown flag, a missing id, no project configured" },
  { 3, "a condition was not met: --fail-if, or the operation waited for has failed" },
  { 4, "no key, or one that is not accepted (401, 403)" },
  { 5, "timed out" },
  { 130, "interrupted by Ctrl-C" },
}

local Exit = {}

--- Ends the command with a code; `message` goes to standard error.
---@param code integer
---@param message string?
function exit.with(code, message)
  error(setmetatable({ code = code, message = message }, Exit), 0)
end

--- Ends the command because of how it was called.
---@param message string
function exit.usage(message)
  exit.with(exit.USAGE, message)
end

--- The exit code for an error of the library.
---@param err ampersand.Error
---@return integer
function exit.code_of(err)
  if err.kind == "timeout" then return exit.TIMEOUT end
  if err.kind == "config" and is_interrupt(err.message) then return exit.INTERRUPTED end
  if err.status == 401 or err.status == 403 then return exit.AUTH end
  return err.kind == "config" and not err.file and exit.USAGE or exit.FAILURE
end

--- Ends the command because of an error of the library.
---@param err ampersand.Error
---@param words string? instead of the error's own text
function exit.fail(err, words)
  exit.with(exit.code_of(err), wording(words or tostring(err)))
end

--- What was raised -> code and message.
---@param raised any
---@return integer code, string? message
function exit.explain(raised)
  if getmetatable(raised) == Exit then return raised.code, raised.message end
  if Error.is(raised) then return exit.code_of(raised), wording(tostring(raised)) end
  if is_interrupt(raised) then return exit.INTERRUPTED end
  return exit.FAILURE, tostring(raised) .. "\nThis is a mistake in ampersand itself."
end

--- Calls `f`; what the library raises as a programming error ends the command as wrong usage.
---@param f function
---@return any ...
function exit.guard(f, ...)
  local function finish(ok, first, ...)
    if ok then return first, ... end
    if type(first) ~= "string" or is_interrupt(first) or first:find("attempt to ", 1, true) then
      error(first, 0)
    end
    exit.usage(wording((first:gsub("^[^%s:]+:%d+: ", ""))))
  end
  return finish(pcall(f, ...))
end

--- Like `guard`; an error that `f` returns ends the command, too.
---@param f function
---@return any value, any info
function exit.checked(f, ...)
  local value, info = exit.guard(f, ...)
  if value == nil then exit.fail(info) end
  return value, info
end

return exit
