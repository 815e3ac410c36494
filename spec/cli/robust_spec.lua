-- The command where things go wrong around it: strange data, full disks, closed descriptors, servers that are down.

local command = require "support.command"
local core = require "ampersand.core"

local server, session

local function run(line, more, input, given) return session:call(line, more, input, given) end
local function shell(script, more) return session:run(script, more) end

-- Sets a fault of the server, until the spec that asked for it ends.
local function set_fault(fault)
  finally(function() server:control("faults", { clear = true }) end)
  server:control("faults", fault)
end

setup(function() server, session = command.open { installations = 60 } end)
teardown(function() command.close(server, session) end)

describe("data from outside", function()
  -- What a name may hold: everything that JSON can write.
  local NAME = [[z\u0000\u001b[2J\u0085\u202e\"\\,;\n\t{}#é]]

  it("reads of an input without an end no more than what is asked for could be", function()
    local endless = session.home .. "/endless"
    os.execute(("mkdir -p %s/ampersand; ln -s /dev/zero %s/ampersand/config"):format(endless, endless))
    for line, words in pairs {
      ["login"] = "the first line of standard input is longer than 65536 bytes",
      ["installations list --key -"] = "the first line of standard input is longer than 65536 bytes",
      ["validate /dev/zero"] = "/dev/zero is longer than 16777216 bytes",
      ["config show"] = "/ampersand/config is longer than 1048576 bytes",
      ["topics create --body -"] = "--body: cannot read -: it is longer than 1048576 bytes",
      ["topics create --body /dev/zero"] = "--body: cannot read /dev/zero: it is longer than 1048576 bytes",
    } do
      local result = run("ampersand " .. line, line == "config show" and { XDG_CONFIG_HOME = endless } or nil, io.open "/dev/zero",
        { before = function() require("ampersand.cli.input").MAX_FILE = 2 ^ 20 end })
      assert.equal(2, result.code, result.err)
      assert.truthy(result.err:find(words, 1, true), result.err)
    end
    assert.equal(2 ^ 26, require("ampersand.cli.input").MAX_FILE)
    assert.truthy(run("ampersand topics create --body /dev/null").err:find("expected a value", 1, true))
  end)

  it("is printed in every format, and read back equal where the format can say it", function()
    local made = run(([[ampersand topics create -f 'name:="%s"' --json]]):format(NAME))
    assert.equal(0, made.code, made.err)
    local name = core.decode('"' .. NAME .. '"')
    assert.equal(name, core.decode(made.out).name)
    local list = "ampersand topics list --where 'name^=z' "
    local formats = {
      "--json", "--ndjson", "--yaml", "--csv", "--tsv", "--template '{name}'", "", "--wide", "--sort name --json",
      "--select name --csv", "--count",
    }
    for _, format in ipairs(formats) do
      local result = run(list .. format)
      assert.same({ 0, "" }, { result.code, result.err }, format)
      assert.truthy(#result.out > 0, format)
    end
    assert.equal(name, core.decode(run(list .. "--json").out)[1].name)
    assert.equal(name, core.decode(run(list .. "--ndjson").out).name)
    assert.truthy(run(list .. "--yaml --select name").out:find('"z\\u0000\\u001b[2J\\u0085\\u202e\\"\\\\,;\\n\\t{}#é"', 1, true))
    assert.equal(name .. "\n", run(list .. "--template '{name}'").out)
    assert.equal('"' .. name:gsub('"', '""') .. '"\n', run(list .. "--select name --csv --no-header").out)
    for _, format in ipairs { "--json", "--yaml", "--csv", "" } do
      local update = ("ampersand topics update %s --body - %s"):format(core.decode(made.out).id, format)
      local result = run(update, nil, ('{"name": "%s"}'):format(NAME))
      assert.same({ 0, "" }, { result.code, result.err }, format)
    end
  end)

  it("has no part in a message that could repaint a terminal, or a stack trace", function()
    for _, words in ipairs { "'a\27[2Jb'", "'a\255b'" } do
      local result = run("ampersand installations get " .. words)
      assert.is_true(result.code == 1 or result.code == 2, result.err)
      assert.is_nil(result.err:find("[\27\255]"), result.err)
      assert.is_nil(result.err:find("traceback", 1, true), result.err)
    end
  end)
end)

describe("output that cannot be written", function()
  it("ends with 1 for files as well: a journal, a state, a picture, the settings", function()
    for _, script in ipairs {
      "installations edit --where id=installation-0000002 --set content.proxy.enabled:=false --yes --journal /dev/full",
      "installations list --html /dev/full", "installations list --svg /nowhere/x",
      "config set project p", "login",
    } do
      local result = run("ampersand " .. script, { XDG_CONFIG_HOME = "/dev/full" }, "mock-key\n")
      assert.equal(1, result.code, script .. result.err)
      assert.truthy(result.err:find("cannot", 1, true), result.err)
    end
  end)

  it("is neither a state of a watch nor a journal where it is not a regular file", function()
    for _, device in ipairs { "/dev/full", "/dev/null", "/dev/zero" } do
      local result = run("ampersand installations watch --polls 1 --state " .. device)
      os.remove(device .. ".lock")
      assert.equal(2, result.code, device .. result.err)
    end
    server:control("requests", { clear = true })
    local edit = "ampersand installations edit --set content.proxy.enabled:=false --yes --journal "
    local fifo = 'mkfifo -m 600 "$HOME/fifo"; exec timeout 20 "$LUA" bin/' .. edit .. '"$HOME/fifo"'
    for _, result in ipairs { run(edit .. "/dev/null"), shell(fifo) } do
      assert.equal(1, result.code, result.err)
      assert.truthy(result.err:find("it is no regular file", 1, true), result.err)
    end
    for _, request in ipairs(server:requests().requests) do assert.not_equal("PATCH", request.method) end
  end)

  it("ends the mock server, whose address nobody could read", function()
    local result = shell [[timeout 10 "$LUA" -e 'os.exit(require("ampersand.mock").main { "--port", "0" })' >/dev/full </dev/null]]
    assert.equal(1, result.code)
    assert.matches("^ampersand mock: cannot write the output: ", result.err)
  end)

  it("ends with 1, too, after many waits for what is printed", function()
    set_fault { on = "listInstallations", chunk = 20 }
    assert.equal(1, run("ampersand installations list", nil, nil, { stdout = io.open("/dev/full", "w") }).code)
  end)

  -- LuaJIT compiles what is done often, and its compiled code repeats a write or a flush that has failed.
  it("is noticed the first time, however often it was written before", function()
    local result = shell [[exec "$LUA" -e '
      local stdout, ours, texts, unwritten, unflushed = require "ampersand.cli.stdout", io.stdout, {}, nil, nil
      for i = 1, 300 do texts[i] = ("x"):rep(i < 200 and 0 or 100) end -- from 200 on more than is buffered
      io.stdout = io.open("/dev/full", "w")
      for i = 1, 300 do if not pcall(stdout.write, texts[i]) then unwritten = unwritten or i end end
      io.stdout = io.open("/dev/full", "w")
      for i = 1, 300 do
        io.stdout:write(texts[i])
        if not pcall(stdout.flush) then unflushed = unflushed or i end
      end
      ours:write(unwritten and "seen" or "unseen", " ", unflushed)']]
    assert.equal("seen 200", result.out, result.err)
  end)

  it("ends with 1, whatever prints", function()
    for _, line in ipairs {
      "--help", "installations list --help", "help topics", "--version", "mock --help", "man", "completion zsh", "config path",
      "config show", "installations list", "installations list --count", "installations list --ndjson", "doctor",
      "installations explain installation-123",
    } do
      for device, mode in pairs { ["/dev/full"] = "w", ["/dev/null"] = "r" } do -- a closed one is opened for reading
        local result = run("ampersand " .. line, nil, nil, { stdout = io.open(device, mode) })
        assert.equal(1, result.code, line .. device .. ": " .. result.err)
        assert.truthy(result.err:find "cannot write the output: ", line .. device .. ": " .. result.err)
      end
    end
    local result = shell "ampersand --version >/dev/full; echo code $? >&2; ampersand --version >&-; echo code $? >&2"
    assert.equal(2, select(2, result.err:gsub("ampersand: cannot write the output: [^\n]+\ncode 1\n", "")), result.err)
  end)

  it("goes into no socket and no file when descriptors are closed", function()
    server:control("requests", { clear = true })
    local result = shell [[list="installations list --ndjson --select id --max 3"
      ampersand $list <&- 2>&-; echo "code $?"
      ampersand $list <&- >&- 2>&-; echo "code $?"]]
    assert.truthy(result.out:find "^{[^\n]+}\n{[^\n]+}\n{[^\n]+}\ncode 0\ncode 1\n$", result.out)
    for _, request in ipairs(server:requests().requests) do assert.equal(200, request.status) end
    assert.equal("nothing\n", shell([["$LUA" -e 'require("ampersand.cli.stdout").fill_closed()
        local file = io.open(os.getenv "HOME" .. "/opened", "w")
        for _, each in ipairs { io.stdout, io.stderr } do each:write "lost"; each:flush() end
        file:close()' <&- >&- 2>&-
      cat "$HOME/opened" && echo nothing]]).out)
  end)
end)

describe("secrets that are not shown", function()
  it("are counted where they are", function()
    local function noted(words) return run("ampersand " .. words, nil, nil, { terminals = { [2] = true } }).err end
    assert.equal("2 secrets are shown as [redacted]; --show-secrets shows all\n",
      noted "installations get installation-0000002 --json")
    assert.equal("", noted "installations get installation-0000002 --csv --select id")
    assert.equal("", noted "installations list --select id --ndjson")
    assert.equal("1 secret is shown as [redacted]; --show-secrets shows all\n", noted "api-keys list --csv --max 1")
    assert.equal("", noted "api-keys list --csv --select label")
  end)
end)

describe("a monitor that could not look", function()
  it("ends with its cause's code, never 0 or 3", function()
    local down = { AMP_API_URL = "http://127.0.0.1:1" }
    for script, code in pairs {
      ["installations watch --polls 1 --fail-if unhealthy"] = 1, ["installations watch --polls 1"] = 1,
      ["installations watch --polls 1 --quiet"] = 1, ["installations list --fail-if any"] = 1,
      ["installations list --fail-if empty --count"] = 1, ["installations list --in-project --fail-if unhealthy"] = 1,
      ["installations explain installation-123"] = 1,
    } do
      local result = run("ampersand --tries 1 " .. script, down)
      assert.equal(code, result.code, script .. ": " .. result.err)
      assert.truthy(result.err:find("127.0.0.1", 1, true), script .. ": " .. result.err)
    end
    local refused = { AMP_API_KEY = "wrong-key" }
    for _, script in ipairs { "installations watch --polls 1 --fail-if unhealthy", "installations list --fail-if any" } do
      assert.equal(4, run("ampersand " .. script, refused).code, script)
    end
    set_fault { on = "listInstallations", hang = true }
    local result = run "ampersand installations watch --polls 1 --timeout 0.1 --tries 1 --fail-if any"
    assert.equal(5, result.code, result.err)
  end)

  it("recovers: the last poll counts", function()
    set_fault { on = "listInstallations", status = 500, next = 3 }
    local result = run "ampersand installations watch --polls 2 --interval 0.1"
    assert.equal(0, result.code, result.err)
    assert.truthy(result.err:find("trying again\n60 installations are watched; polling every 0.1 s until Ctrl-C\n", 1, true), result.err)
  end)
end)

describe("edits", function()
  local edit = "ampersand installations edit --where id=installation-0000002 "

  it("that the real run would refuse fail when they are dry, too", function()
    local dry = run(edit .. "--dry-run --set content.read.extra.deep:=1")
    assert.equal(1, dry.code)
    assert.truthy(dry.err:find("nothing would be sent, since installations cannot be changed as asked: 1", 1, true), dry.err)
  end)

  it("follow wildcards, and say when a type changes", function()
    local dry = run(edit .. "--dry-run --set 'content.read.objects.*.schedule=@daily'")
    assert.equal(0, dry.code, dry.err .. dry.out)
    assert.truthy(dry.out:find("schedule", 1, true), dry.out)
    assert.is_nil(dry.out:find("objects.*", 1, true), dry.out)
    local done = run(edit .. "--yes --journal \"$HOME/t.jsonl\" --set content.proxy.enabled=false")
    assert.truthy((done.out .. done.err):find("warning: content.proxy.enabled: a string replaces a boolean", 1, true), done.out .. done.err)
  end)

  it("that are interrupted say how far they are, and resume", function()
    set_fault { on = "updateInstallation", delay = 0.2 }
    local script = "ampersand installations edit --where connection.provider^=s --set content.proxy.enabled:=false --yes --parallel 1 "
      .. "--journal \"$HOME/slow.jsonl\""
    local editing = session:start(script)
    editing:await(function() return command.read(session.home .. "/slow.jsonl"):find('"type":"done"', 1, true) end):signal "INT"
    local result = editing:wait()
    assert.equal(130, result.code, result.out .. result.err)
    local done, all = result.err:match "(%d+) of (%d+) done; the same command resumes\n"
    assert.truthy(done and tonumber(done) < tonumber(all), result.err)
    server:control("faults", { clear = true })
    local resumed = run(script)
    assert.equal(0, resumed.code, resumed.err)
    assert.truthy(resumed.out:find(" to change: ", 1, true), resumed.out)
  end)

  it("name flags and commands, not options of the library", function()
    local result = run(edit .. "--dry-run --set content.read.objects.none.objectName=none")
    assert.is_nil((result.out .. result.err):find("irreversible = true", 1, true), result.out .. result.err)
    local wording = require "ampersand.cli.wording"
    for message, expected in pairs {
      ["it could not be undone; `irreversible = true` allows it"] = "it could not be undone; `--irreversible` allows it",
      ["resume them with installations:unpause"] = "resume them with ampersand installations unpause",
      ["put them in with connections:update"] = "put them in with ampersand connections update",
      ["go back: installations:undo(journal)"] = "go back: ampersand installations undo JOURNAL",
      ["give `project` to ampersand.new or client:with, or set AMPERSAND_PROJECT_ID"] = "give `--project`, or set AMPERSAND_PROJECT_ID",
      ['client:request: unknown method "GTE"'] = 'unknown method "GTE"',
      ["is base_url right?"] = "is --url right?", ["at http://a:80 12:30 nobody:else"] = "at http://a:80 12:30 nobody:else",
    } do
      assert.equal(expected, wording(message))
    end
  end)
end)
