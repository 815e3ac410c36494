--- The terminal: whether there is one, its width and colours; questions and progress.

local core = require "ampersand.core"
local exit = require "ampersand.cli.exit"
local shell = require "ampersand.cli.shell"
local stdout = require "ampersand.cli.stdout"

local terminal = {}

local DESCRIPTORS = { stdin = 0, stdout = 1, stderr = 2 }

--- Whether "stdin", "stdout" or "stderr" is a terminal.
---@param stream string
---@return boolean
function terminal.is(stream)
  return core.is_terminal(DESCRIPTORS[stream])
end

--- Columns of the terminal; nil where standard output is not one, so that nothing is cut in a pipe.
---@return integer?
function terminal.columns()
  if not terminal.is "stdout" then return nil end
  local set = tonumber(os.getenv "COLUMNS" or "") or 0
  local known = set >= 1 and set or core.columns()
  return known > 0 and math.floor(known) or 80
end

local COLOURS = { red = "31", green = "32", yellow = "33", blue = "34", grey = "90", bold = "1" }

--- A function (text, colour) that colours, or leaves the text alone.
---@param mode string? "auto" (default), "always" or "never"
---@return fun(text: string, colour: string?): string
function terminal.painter(mode)
  local unwanted = mode == "never" or (os.getenv "NO_COLOR" or "") ~= "" or os.getenv "TERM" == "dumb"
  local wanted = mode == "always" or not unwanted and terminal.is "stdout"
  return function(text, colour)
    return wanted and colour and ("\27[%sm%s\27[0m"):format(COLOURS[colour], text) or text
  end
end

--- Writes a line to standard error.
---@param text string
function terminal.say(text)
  stdout.flush()
  io.stderr:write(text, "\n")
end

-- The shell reads, so that Ctrl-C ends the reading on every Lua. It asks, too: what is typed as soon as the question is
-- there would be shown if the echo went after that. A secret is read by a subshell, which Ctrl-C ends at once (a trap
-- could miss the signal that comes just before `read` waits), and the shell around it puts the echo back.
local READ = [[printf %%s %s >&2; IFS= read -r line; printf '%%s' "$line"]]
local SECRET = [[state=$(stty -g); trap : INT TERM; stty -echo; (%s); stty "$state"]]

--- Asks at the terminal.
---@param question string
---@param secret boolean? the answer is not shown
---@return string answer
function terminal.ask(question, secret)
  stdout.flush()
  local script = READ:format(shell.quote(question))
  local pipe = io.popen("exec </dev/tty; " .. (secret and SECRET:format(script) or script))
  local answer = pipe and pipe:read "*a"
  if pipe then pipe:close() end
  if secret then io.stderr:write "\n" end
  return answer or ""
end

local MAX_SECRET = 2 ^ 16 -- bytes

-- The first line of standard input, which may have no end.
local function read_line()
  local bytes = {}
  for byte in function() return io.read(1) end do
    if byte == "\n" then break end
    bytes[#bytes + 1] = byte
    if #bytes > MAX_SECRET then
      exit.usage(("the first line of standard input is longer than %d bytes"):format(MAX_SECRET))
    end
  end
  return table.concat(bytes)
end

--- A secret from the terminal without echo, or the first line of standard input.
---@param question string
---@return string?
function terminal.read_secret(question)
  local line = terminal.is "stdin" and terminal.ask(question, true) or read_line()
  line = line:match "^%s*(.-)%s*$"
  return line ~= "" and line or nil
end

--- The answer to a question, as yes or no.
---@param question string
---@return boolean
function terminal.agrees(question)
  return terminal.ask(question):lower():find "^%s*y" ~= nil
end

--- A secret that a command line may give: `-` is read; anything else gives a warning, since the arguments of a process
-- can be read by every user of the machine.
---@param prompt string
---@param given string
---@param what string "a key"
---@param instead string what to write instead, "--key -"
---@return string
function terminal.given_secret(prompt, given, what, instead)
  if given == "-" then
    return terminal.read_secret(prompt .. ": ") or exit.usage(("%s: nothing was given"):format(prompt))
  end
  terminal.say(("ampersand: %s on the command line can be read by other users of this machine; use %s instead"):format(
    what, instead))
  return given
end

-- Progress --------------------------------------------------------------------------------------------------------

local Progress = {}
Progress.__index = Progress

local PATIENCE, INTERVAL, BAR = 0.7, 0.1, 20

--- Counts what arrives, and shows it on standard error once the work turns out to be long.
---@param noun string what is counted
---@param quiet boolean? never show anything
function terminal.progress(noun, quiet)
  local now = core.now()
  return setmetatable({ noun = noun, started = now, due = quiet and math.huge or now + PATIENCE, count = 0 }, Progress)
end

--- 1234567 -> "1,234,567"
---@param n number
---@return string
function terminal.grouped(n)
  local text = ("%.0f"):format(n):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (text:gsub("^,", ""))
end

-- How many there will be is not known beforehand: the block in the bar only moves.
function Progress:draw(now)
  if self.shown == nil then self.shown = terminal.is "stderr" and not (self.streams and terminal.is "stdout") end
  if not self.shown then
    self.due = math.huge
    return
  end
  local seconds = now - self.started
  local at = math.floor(seconds * 10) % (BAR - 3)
  local bar = (" "):rep(at) .. "===" .. (" "):rep(BAR - 3 - at)
  local line = ("[%s] %s %s, %s/s"):format(bar, terminal.grouped(self.count), self.noun,
    terminal.grouped(self.count / seconds))
  io.stderr:write("\r", line, "\27[K")
  self.drawn, self.due = true, now + INTERVAL
end

--- One more has arrived.
function Progress:tick()
  self.count = self.count + 1
  local now = core.now()
  if now >= self.due then self:draw(now) end
end

--- Wipes the bar away.
function Progress:finish()
  if self.drawn then io.stderr:write "\r\27[K" end
  self.drawn, self.due = nil, math.huge
end

return terminal
