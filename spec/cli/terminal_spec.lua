-- The real command on a terminal of its own: widths, colours, questions, progress, Ctrl-C; completion in real shells.

local clock = require "support.clock"
local command = require "support.command"
local machine = require "support.machine"
local width = require "ampersand.cli.output.width"

local server, session

local function show(script, given) return session:show(script, given) end

-- Runs a command in this process that takes standard output for a terminal, where neither size nor keys matter.
local function as_shown(line, more)
  return session:call(line, more, nil, { terminals = { true }, together = true }).out
end

setup(function() server, session = command.open { installations = 40 } end)
teardown(function() command.close(server, session) end)

local with = command.with

describe("on a terminal a table", function()
  local list = "ampersand installations list"

  local function check_width(columns, out)
    local count = 0
    for line in out:gmatch "[^\n]+" do
      if not line:find("did not fit", 1, true) then
        count = count + 1
        assert.is_true(width.of(line) <= columns, columns .. ": " .. line)
      end
    end
    assert.equal(41, count)
    assert.equal(columns < 50, out:find("did not fit", 1, true) ~= nil, columns)
  end

  it("fits, whatever the width", function()
    for _, columns in ipairs { 20, 40, 60, 80, 200 } do
      check_width(columns, as_shown(list, { COLUMNS = columns, NO_COLOR = "1" }))
    end
    assert.truthy(as_shown(list .. " --wide", { COLUMNS = "40" }):find("UPDATED", 1, true))
    if not command.has_terminal() then pending(command.NO_TERMINAL) end
    for given, columns in pairs { [40] = 40, [0] = 80 } do -- one does not know its width; no other process is asked for it
      local alone = "exec $LUA -e 'io.popen = nil' bin/" .. list
      check_width(columns, show(alone, { columns = given, env = { NO_COLOR = "1" } }).out)
    end
  end)

  it("has colours, unless they are not wanted", function()
    local one, green = list .. " --max 1", "\27[32mhealthy\27[0m"
    assert.truthy(as_shown(one):find(green, 1, true))
    assert.is_nil(as_shown(one, { NO_COLOR = "1" }):find("\27", 1, true))
    assert.is_nil(as_shown(one, { TERM = "dumb" }):find("\27", 1, true))
    assert.is_nil(as_shown(one .. " --color never"):find("\27", 1, true))
    assert.truthy(session:call(one .. " --color always").out:find(green, 1, true))
    if not command.has_terminal() then pending(command.NO_TERMINAL) end
    local shown, piped = show(one .. "; " .. one .. " | cat").out:match "^(.+)(INSTALLATION.+)$"
    assert.truthy(shown:find(green, 1, true), shown)
    assert.is_nil(piped:find("\27", 1, true), piped)
  end)

  it("lets no name repaint the screen", function()
    assert.equal(0, session:call([[ampersand topics create -f 'name:="a\u001b[2Jb\u009bc"']]).code)
    for _, format in ipairs { "", "--template '{name}'" } do
      local out = as_shown("ampersand topics list " .. format, { NO_COLOR = "1" })
      assert.truthy(out:find("a?[2Jb?c", 1, true), out)
      assert.is_nil(out:find("\27", 1, true))
    end
  end)
end)

describe("on a terminal a question", function()
  it("is asked before something goes, and the answer counts", function()
    if not command.has_terminal() then pending(command.NO_TERMINAL) end
    local ASKED = "%[y/N%] "
    local delete = "ampersand installations delete installation-0000011"
    assert.equal(130, show(delete, { keys = "\3", after = ASKED }).code)
    local script = ("%s; echo code $?; "):format(delete):rep(3)
    local out = show(script, { keys = "n\r\ry\r", after = ASKED }).out
    assert.truthy(out:find("Delete installation-0000011 (", 1, true), out)
    assert.truthy(out:find("The connection goes with it", 1, true))
    assert.equal("code 1, code 1, code 0, ", out:gsub(".-(code %d)\n", "%1, "), out)
    assert.equal(1, session:call("ampersand installations get installation-0000011 --quiet").code)
  end)

  it("for a key shows nothing of it, and Ctrl-C puts the echo back", function()
    if not command.has_terminal() then pending(command.NO_TERMINAL) end
    local ASKED = "API key: "
    local script = "ampersand projects list --key - --csv; echo code $?; stty -a"
    local result = show(script, { keys = server.key .. "\r", after = ASKED, env = { AMP_API_KEY = false } })
    assert.is_nil(result.out:find(server.key, 1, true), result.out)
    assert.truthy(result.out:find("my-project", 1, true), result.out)
    assert.truthy(result.out:find " echo ", result.out)
    result = show("trap : INT; " .. script, { keys = "\3", after = ASKED }) -- the shell goes on
    assert.truthy(result.out:find "code 130\n", result.out)
    assert.truthy(result.out:find " echo ", result.out)
  end)
end)

describe("on a terminal long work", function()
  -- From the beginning of what is counted a second has passed.
  local function pass_a_second()
    local terminal = require "ampersand.cli.terminal"
    local progress = terminal.progress
    function terminal.progress(...)
      local counting = progress(...)
      clock.pass(1)
      return counting
    end
  end

  setup(clock.take)
  teardown(clock.restore)

  it("shows how far it is, and leaves nothing behind", function()
    if not command.has_terminal() then pending(command.NO_TERMINAL) end
    with({ installations = 100, fault = "slow=400000" }, function(slow)
      local list = "ampersand installations list --summary"
      local terminal = slow:terminal(list, { env = { NO_COLOR = "1" } })
      for line, terminals in pairs { [list] = {}, [list .. " --quiet"] = { true, true } } do
        local unseen = session:call(line, nil, nil, { terminals = terminals, before = pass_a_second })
        assert.truthy(unseen.out:find "%d+ installations", unseen.out)
        assert.same({ 0, "" }, { unseen.code, unseen.err })
      end
      local result = terminal:wait()
      assert.equal(0, result.code)
      assert.truthy(result.out:find "\r%[.-===.-%] %d+ installations, %d+/s\27%[K")
      assert.truthy(result.out:find "\r\27%[K100 installations\n")
    end)
  end)

  it("waits for an operation, and says how many records it has read", function()
    with({ installations = 2, read_seconds = 0.5 }, function(slow)
      local id = slow:call("ampersand installations read contact -f groupRef=group-123 -f mode=async --template '{operationId}'").out
      local wait = ("ampersand operations wait %s --interval 0.1 --template '{status}'"):format(id:match "%S+")
      local result = slow:call(wait, nil, nil, { terminals = { true, true }, together = true })
      assert.equal(0, result.code, result.out)
      assert.truthy(result.out:find "\r%[=+ +%] %d[%d,]* of %d[%d,]* records\27%[K\r", result.out)
      assert.truthy(result.out:find "\r\27%[Ksuccess\n$", result.out)
    end)
  end)

  it("ends at once with 130 on Ctrl-C", function()
    if not command.has_terminal() then pending(command.NO_TERMINAL) end
    with({ installations = 3, fault = "hang" }, function(hanging, mock)
      local started = os.time()
      local function asked() return mock:requests().count == 1 end
      assert.equal(130, hanging:show("ampersand installations list", { keys = "\3", after = asked }).code)
      assert.is_true(os.time() - started < 10)
    end)
  end)
end)

-- Completion ------------------------------------------------------------------------------------------------------

local function need(program)
  if not machine.has(program) then pending(machine.absent(program, "apt-get install " .. program)) end
end

describe("completion", function()
  -- Shells look for a program, not for a function of the script that started them.
  setup(function()
    session:run [[mkdir "$HOME/bin"; printf '#!%s\narg[0] = "%s/bin/ampersand"; dofile(arg[0])\n' "$(command -v "$LUA")" "$PWD" \
      >"$HOME/bin/ampersand"; chmod +x "$HOME/bin/ampersand"]]
    session:call "ampersand config set project p --profile production"
  end)

  local program = [[PATH="$HOME/bin:$PATH"; ]]

  -- The words typed, "|" between them, and what must be offered for the last one.
  local CASES = {
    ["inst"] = "installations", ["installations|l"] = "list", ["api-keys|del"] = "delete", ["topic-dest"] = "topic-destination-routes",
    ["installations|list|--whe"] = "--where", ["installations|list|--fail-if|un"] = "unhealthy",
    ["installations|list|--where|heal"] = "healthStatus=", ["installations|list|--select|id,group.groupR"] = "id,group.groupRef",
    ["installations|list|--sort|createT"] = "createTime", ["operations|list|--where|actionT"] = "actionType=",
    ["topics|create|-f|na"] = "name=", ["config|set|integ"] = "integration", ["config|unset|pro"] = "project",
    ["installations|get|installation-123|--project|p|--integ"] = "--integration",
    ["installations|list|--profile|prod"] = "production", ["completion|z"] = "zsh", ["webhook|ver"] = "verify",
  }

  it("knows commands, options and values", function()
    for words, expected in pairs(CASES) do
      local result = session:call("ampersand __complete " .. words:gsub("|", " "))
      assert.equal("", result.err, words)
      assert.equal(expected, result.out:match "^[^\t]*", words)
      assert.equal(1, select(2, result.out:gsub("\n", "")), words .. result.out)
    end
    assert.equal(":files\n", session:call("ampersand __complete installations list --html x").out)
    assert.equal("", session:call("ampersand __complete installations list --where healthStatus = x").out)
  end)

  it("works in a real bash", function()
    need "bash"
    local result = session:run(program .. [[bash --norc -c 'source <(ampersand completion bash)
      complete() { COMP_CWORD=$(($# - 1)); COMP_WORDS=("$@"); _ampersand; echo "${COMPREPLY[@]}"; }
      complete ampersand inst
      complete ampersand installations list --pro
      complete ampersand installations list --fail-if = un
      complete ampersand installations list --html x']])
    assert.equal("", result.err)
    assert.equal("installations\n--profile --project\nunhealthy\n\n", result.out)
  end)

  it("works in a real zsh, sourced and from fpath", function()
    need "zsh"
    -- compinit reads every file of fpath: the system's own 1,000 are left out, and it finds none by itself without _compdir
    command.write(session.home .. "/_ampersand", session:call("ampersand completion zsh").out)
    local result = session:run(program .. [[cd "$HOME"
      zsh -f -c '_compdir= fpath=($PWD ${^fpath}/compinit(N:h)); autoload -Uz compinit; compinit -u -D
        autoload +X _ampersand; print -r -- $_comps[ampersand]'
      zsh -f -c '_compdir= fpath=(${^fpath}/compinit(N:h)); source <(ampersand completion zsh); print -r -- $_comps[ampersand]
        _describe() { eval "print -rl -- \${$4}" }
        words=(ampersand installations list --where heal) CURRENT=5; _ampersand
        words=(ampersand installations li) CURRENT=3; _ampersand']])
    assert.equal("_ampersand\n_ampersand\nhealthStatus=:\n"
      .. "list:Lists the installations of one integration with connection, config and health.\n", result.out,
      result.err)
    assert.equal("", result.err)
  end)

  it("works in a real fish", function()
    need "fish"
    command.write(session.home .. "/c.fish", session:call("ampersand completion fish").out)
    local result = session:run(program .. [[
      fish --no-config -c 'source $HOME/c.fish
        complete -C "ampersand inst"; complete -C "ampersand installations lis"; complete -C "ampersand config set ke"']])
    assert.truthy(result.out:find "^installations\t", result.err .. result.out)
    assert.truthy(result.out:find "\nlist\t", result.out)
    assert.truthy(result.out:find "\nkey\n", result.out)
  end)
end)

describe("the manual page", function()
  it("is well-formed and knows every resource", function()
    local page = session:call("ampersand man").out
    assert.truthy(page:find '^%.TH AMPERSAND 1')
    for name in pairs(require("ampersand.client.operations").lines) do
      assert.truthy(page:find(".SS ampersand " .. name:gsub("_", "\\-") .. "\n", 1, true), name)
    end
    need "groff"
    command.write(session.home .. "/page", page)
    assert.equal("", session:run([[unset LD_PRELOAD; groff -man -Tutf8 -ww "$HOME/page" 2>&1 >/dev/null]]).out)
  end)
end)
