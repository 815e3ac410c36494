-- Makes the pictures of docs/pictures.md from the mock server: `make pictures`. Needs Chromium. The picture
-- of the dashboard is copied from those of `make test-dashboard`, where they exist.

local command = require "support.command"
local mock = require "support.mock"

local HERE = "docs/images/"
local WIDTH, HEIGHT = 1200, 720

local COLOURS = { ["31"] = "#e06c6c", ["32"] = "#7fbf7f", ["33"] = "#d7b46a", ["1"] = "#ffffff", ["2"] = "#8a8f98" }

local PAGE = [[<!DOCTYPE html><meta charset="utf-8"><style>
body { margin: 0; background: #16181d; color: #d7dae0; font: 15px/1.45 "DejaVu Sans Mono", monospace; }
pre { margin: 24px; font: inherit; } .prompt { color: #8a8f98; }</style><pre>%s</pre>]]

local function escape(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

-- What a terminal shows, as HTML: colours only, for the command uses nothing else.
local function html_of(text)
  return (escape(text):gsub("\27%[([%d;]*)m", function(code)
    local colour = COLOURS[code:match "%d+$"]
    return colour and ('<span style="color: %s">'):format(colour) or "</span>"
  end):gsub("\27%[[%d;]*%a", ""))
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function photograph(address, name, height)
  local line = ("timeout 60 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run "
    .. "--disable-background-networking --disable-sync --user-data-dir=%s --force-device-scale-factor=1 "
    .. "--virtual-time-budget=4000 --window-size=%d,%d --screenshot=%s%s.png '%s' 2>/dev/null"):format(
    os.tmpname() .. ".d", WIDTH, height or HEIGHT, HERE, name, address)
  local ok = os.execute(line)
  assert(ok == true or ok == 0, line)
  print(HERE .. name .. ".png")
end

local function copy(from, name)
  local file = io.open(from, "rb")
  if not file then return print(from .. " does not exist: run `make test-dashboard` first") end
  write(HERE .. name .. ".png", file:read "*a")
  file:close()
  print(HERE .. name .. ".png")
end

local function main()
  local server = mock.start { installations = 200 }
  local session = command.session(server)
  for _, picture in ipairs {
    { "table", "ampersand installations list --where connection.provider=salesforce,box,asana,zoom", 420 },
    { "summary", "ampersand installations list --summary", 600 },
    { "explain", "ampersand installations explain installation-0000082", 260 },
  } do
    local name, typed, height = picture[1], picture[2], picture[3]
    local shown = session:show(typed:gsub("%-%-where (%S+)", "--where '%1'"), { columns = 110 })
    local page = session.home .. "/page.html"
    write(page, PAGE:format('<span class="prompt">$ ' .. escape(typed) .. "</span>\n" .. html_of(shown.out)))
    photograph("file://" .. page, name, height)
  end
  local report = session.home .. "/report.html"
  local result = session:run("ampersand installations list --html " .. report)
  assert(result.code == 0, result.err)
  photograph("file://" .. report, "report", 900)
  copy("build/dashboard/dashboard.png", "dashboard")
  session:close()
  server:stop()
end

main()
