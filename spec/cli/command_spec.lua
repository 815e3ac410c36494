-- The command against the mock server: what it prints where, and how it ends. What is about a process, or asks the
-- system for something, runs as the real command; everything else in the process of this spec.

local await = require("support.server").await
local command = require "support.command"
local core = require "ampersand.core"
local width = require "ampersand.cli.output.width"

local server, session

local function run(line, more, input) return session:call(line, more, input) end
local function shell(script, more) return session:run(script, more) end

local function lines(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = line end
  return list
end

setup(function() server, session = command.open { installations = 100 } end)
teardown(function() command.close(server, session) end)

-- Sets a fault of the server, until the spec that asked for it ends.
local function set_fault(fault)
  finally(function() server:control("faults", { clear = true }) end)
  server:control("faults", fault)
end

-- Runs a command where a module does not load.
local function run_without(name, why, line)
  local loaded = package.loaded[name]
  package.loaded[name], package.preload[name] = nil, function() error(why, 0) end
  local result = run(line)
  package.loaded[name], package.preload[name] = loaded, nil
  return result
end

describe("a command", function()
  -- One line for each exit code, and what it takes from its surroundings.
  local LINES = {
    { 0, "ampersand installations list --max 3" }, { 0, "ampersand installations list --where connection.status=x" },
    { 0, "ampersand config show", { AMP_API_KEY = false, AMPERSAND_ORG_ID = "o" } }, { 0, "ampersand --help" },
    { 0, "ampersand topics list --csv" }, { 0, [[ampersand api GET "/projects/my-project" --template '{name}\t$HOME "x"']] },
    { 1, "ampersand installations get nobody --debug --quiet" }, { 2, "ampersand installations list --selct id" },
    { 2, "ampersand topics create --body -" }, { 2, "ampersand installations list --key -" },
    { 3, "ampersand installations list --count --fail-if any" }, { 4, "ampersand projects list", { AMP_API_KEY = "wrong-key" } },
    { 5, "ampersand installations list --timeout 0.0001 --tries 1" },
  }

  it("does in the process of a spec what it does in its own", function()
    for _, line in ipairs(LINES) do
      local there = shell(line[2], line[3])
      local function stable(text) -- what no two runs have in common
        text = text:gsub("%d+%.%d+ s", "a moment"):gsub("mock%-%d+", "an id")
        return (text:gsub("timed out[^(]+", "too late "):gsub("the deadline passed[^(]+", "too late "))
      end
      there.err = stable(there.err)
      assert.equal(line[1], there.code, line[2] .. there.err)
      for _ = 1, 2 do
        local here = run(line[2], line[3])
        here.err = stable(here.err)
        assert.same(there, here, line[2])
      end
    end
  end)
end)

describe("a list", function()
  it("is a table by default, whole and without colours in a pipe", function()
    local result = run "ampersand installations list --max 6"
    assert.equal([[
INSTALLATION          GROUP                    PROVIDER     CONNECTION  HEALTH
installation-123      Super Customer           salesforce   working     healthy
installation-0000002  Super Customer           salesforce   working     healthy
installation-0000003  Acme Corporation         hubspot      working     healthy
installation-0000004  Müller & Söhne GmbH      dynamicsCRM  working     healthy
installation-0000005  株式会社さくら           zohoCRM      working     healthy
installation-0000006  Société Générale d'Élan  pipedrive    working     healthy
]], result.out)
    assert.equal("", result.err)
    assert.equal(0, result.code)
  end)

  it("comes in every format", function()
    local chosen = " --where healthStatus=unhealthy --where connection.status=bad_credentials,created --max 2"
      .. " --select id,group.groupName"
    for flag, expected in pairs {
      ["--ndjson"] = '{"group":{"groupName":"Back\\\\slash & Tab\\tInc"},"id":"installation-0000082"}\n'
        .. '{"group":{"groupName":"नमस्ते सेवाएँ"},"id":"installation-0000084"}\n',
      ["--csv"] = 'id,group.groupName\ninstallation-0000082,Back\\slash & Tab\tInc\n'
        .. 'installation-0000084,नमस्ते सेवाएँ\n',
      ["--tsv --no-header"] = 'installation-0000082\tBack\\\\slash & Tab\\tInc\ninstallation-0000084\tनमस्ते सेवाएँ\n',
      ["--yaml"] = '- group:\n    groupName: "Back\\\\slash & Tab\\tInc"\n  id: installation-0000082\n'
        .. '- group:\n    groupName: "नमस्ते सेवाएँ"\n  id: installation-0000084\n',
      ["--template '{id} {healthStatus}|'"] = "installation-0000082 unhealthy|\ninstallation-0000084 unhealthy|\n",
    } do
      local given = flag:find "template" and chosen:gsub("%-%-select.*", "") or chosen .. " "
      local result = run("ampersand installations list" .. given .. flag)
      assert.equal(expected, result.out)
      assert.equal("", result.err)
    end
    local list = core.decode(run("ampersand installations list --json" .. chosen).out)
    assert.same({ "installation-0000082", "installation-0000084" }, { list[1].id, list[2].id })
    assert.equal("id                    group.groupName\ninstallation-0000082  Back\\slash & Tab Inc\n",
      run("ampersand installations list --max 1 --where id=installation-0000082 --select id,group.groupName").out)
  end)

  it("is counted, sorted, bounded, taken from the whole project", function()
    assert.equal("100\n", run("ampersand installations list --count").out)
    assert.equal("103\n", run("ampersand installations list --in-project --count").out)
    assert.equal("1\n", run("ampersand installations list --group-ref group-0000007 --count").out)
    assert.equal("1\n", run("ampersand installations list --groupRef group-0000007 --count").out)
    local sorted = lines(run("ampersand installations list --sort createTime --reverse --template '{createTime}'").out)
    assert.equal(100, #sorted)
    for i = 2, #sorted do assert.is_true(sorted[i - 1]:sub(1, 19) >= sorted[i]:sub(1, 19)) end
    local first = lines(run("ampersand installations list --sort createTime --select id,createTime --csv --max 3").out)
    assert.equal(4, #first)
    assert.equal(sorted[100], first[2]:match ",(.*)$")
  end)

  it("pages by itself", function()
    assert.equal("450\n", run("ampersand operations list installation-123 --count").out)
    assert.equal(120, #lines(run("ampersand operations list installation-123 --max 120 --page-size 50 --ndjson").out))
  end)

  it("of named things is a list, too", function()
    local result = run "ampersand providers list --select name --csv"
    assert.truthy(result.out:find "^name\nacuityScheduling\nadobe\n")
    assert.equal("hubspot\n", run("ampersand providers list --where name=hubspot --template '{name}'").out)
  end)

  it("says on standard error when there is nothing", function()
    local result = run "ampersand installations list --where healthStatus=dead"
    assert.same({ "", "no installation fits the conditions\n", 0 }, { result.out, result.err, result.code })
    assert.equal("", run("ampersand installations list --where healthStatus=dead --quiet").err)
    assert.equal("[]\n", run("ampersand installations list --where healthStatus=dead --json").out)
  end)

  it("arrives line by line, the first before the last byte", function()
    set_fault { on = "listInstallations", stall = 20000 }
    local listing = session:start "ampersand installations list --ndjson --select id"
    listing:await(function(output) return output ~= "" end):signal "TERM"
    local seen = lines(listing:wait().out)
    assert.equal('{"id":"installation-123"}', seen[1])
    assert.is_true(#seen > 3 and #seen < 50, #seen .. " lines")
  end)

  it("ends quietly when the reader has closed the pipe", function()
    local result = shell [[for flag in --ndjson --csv --wide; do # each prints more than a pipe holds
      ampersand installations list $flag --select id,config | { read -r line; echo read; }; done]]
    assert.same({ "read\nread\nread\n", "" }, { result.out, result.err })
    local ignoring = shell "trap '' PIPE; { ampersand installations list --ndjson; echo $? >&2; } | read -r line"
    assert.equal("141\n", ignoring.err)
  end)
end)

describe("secrets", function()
  it("in payloads are shown on request only", function()
    local get = "ampersand installations get installation-0000002 --json"
    assert.is_nil(run(get).out:find("access-0000002", 1, true))
    assert.truthy(run(get).out:find('"token": "[redacted]"', 1, true))
    assert.truthy(run(get .. " --show-secrets").out:find('"token": "access-0000002"', 1, true))
    local list = "ampersand connections list --max 2 --ndjson"
    assert.is_nil(run(list).out:find("access-0000002", 1, true))
    assert.is_nil(run("ampersand installations list --select connection.oauth2AuthorizationCode --csv").out
      :find("access-0000002", 1, true))
  end)

  it("are hidden whatever is selected", function()
    for _, words in ipairs { "", "--select key", "--csv", "--ndjson --select key", "--template '{key}'" } do
      local result = run("ampersand api-keys list " .. words)
      assert.truthy(result.out:find("[redacted]", 1, true), words)
      assert.is_nil(result.out:find(server.key, 1, true), words)
    end
    assert.equal("[redacted]\n", run("ampersand api GET /projects/my-project/api-keys --template '{key}'").out)
    assert.equal(server.key .. "\n", run("ampersand api-keys list --template '{key}' --show-secrets").out)
    local made = run "ampersand api-keys create -f label=new --template '{key}'"
    assert.equal("[redacted]\n", made.out)
    assert.truthy(made.err:find("1 secret is shown as [redacted]; --show-secrets", 1, true), made.err)
  end)

  it("on the command line are warned of; `-` reads them from standard input", function()
    local result = run "ampersand projects list --key mock-key --csv"
    assert.equal(0, result.code)
    assert.truthy(result.err:find("use --key -", 1, true))
    assert.is_nil(result.err:find("mock-key", 1, true))
    result = run("ampersand projects list --key - --csv", { AMP_API_KEY = "wrong-key-of-env" }, "mock-key\n")
    assert.same({ 0, "" }, { result.code, result.err })
    assert.equal(4, run("ampersand projects list --key -", nil, "another-key\n").code)
    for _, line in ipairs { "ampersand api-keys get mock-key", "ampersand config set key mock-key" } do
      result = run(line, { XDG_CONFIG_HOME = session.home .. "/other" })
      assert.equal(0, result.code)
      assert.truthy(result.err:find("on the command line can be read by other users of this machine; use - instead", 1, true))
    end
    result = run("ampersand api-keys get - --template '{label}'", nil, "mock-key\n")
    assert.same({ 0, "mock server\n", "" }, { result.code, result.out, result.err })
    result = run("ampersand topics create --key - --body - --template '{name}'", { AMP_API_KEY = "wrong-key-of-env" },
      'mock-key\n{"name":"t"}')
    assert.same({ 0, "t\n" }, { result.code, result.out })
  end)

  it("before the host of a URL or a proxy are masked", function()
    local url = "http://u:secretpw@127.0.0.1:1"
    local all = {
      run("ampersand installations list --url " .. url), run("ampersand config set url " .. url),
      run("ampersand config show", { AMP_API_URL = url }), run("ampersand doctor", { AMP_API_URL = url }),
    }
    for i, result in ipairs(all) do
      local told = result.out .. result.err
      assert.is_nil(told:find("secretpw", 1, true), told)
      assert.truthy(told:find("://***@127.0.0.1:1", 1, true), i .. told)
    end
    local proxied = shell("ampersand doctor", { AMP_API_URL = "http://localhost:1", http_proxy = "foo://u:secretpw@h:1" })
    assert.is_nil((proxied.out .. proxied.err):find("secretpw", 1, true), proxied.out)
  end)

  it("are in no error and no debug line", function()
    local result = run("ampersand installations list --debug", { AMP_API_KEY = "s3cret-key-s3cret" })
    assert.equal(4, result.code)
    assert.truthy(result.err:find("debug: GET", 1, true))
    assert.is_nil((result.err .. result.out):find("s3cret", 1, true))
  end)
end)

describe("exit codes", function()
  it("are 0 for success, 1 for failure", function()
    assert.equal(0, run("ampersand projects list").code)
    local result = run "ampersand installations get nobody"
    assert.equal(1, result.code)
    assert.truthy(result.err:find("404 Not Found", 1, true))
    assert.equal("", result.out)
  end)

  it("are 1 when a list breaks off, with what came before", function()
    set_fault { on = "listInstallations", cut = 100000 }
    local result = run "ampersand installations list --ndjson --select id"
    assert.equal(1, result.code)
    assert.is_true(#lines(result.out) > 5)
    assert.truthy(result.err:find("the list broke off after " .. #lines(result.out), 1, true), result.err)
    local json = run "ampersand installations list --json --select id"
    assert.is_nil((core.decode(json.out))) -- a broken list must not pass for a whole one
  end)

  it("are 2 for wrong usage, with the nearest name", function()
    for script, words in pairs {
      ["instalations list"] = "did you mean installations?", ["installations lst"] = "did you mean list?",
      ["installations list --wher a=b"] = "did you mean --where?",
      ["installations list --selct id"] = "did you mean --select?",
      ["installations list --where 'a b'"] = "expected path=value",
      ["installations list --where 'createTime>=soon'"] = "an RFC 3339 time",
      ["installations list --template '{'"] = "expected {path}",
      ["installations get"] = "the id <installationId> is missing", ["installations get a b c d"] = "at most 3",
      ["installations list --json --csv"] = "can not be used together", [""] = "Usage: ampersand <resource>",
      ["installations list --max 0"] = "--max: expected a whole number of at least 1, got '0'",
      ["installations list --max -1"] = "--max: expected a whole number of at least 1, got '-1'",
      ["installations list --timeout -.5"] = "--timeout: expected a positive number, got '-.5'",
      ["installations edit --canary x"] = "--canary: expected a share below 1, or a whole number, got 'x'",
      ["installations edit --canary 1.5"] = "--canary: expected a share below 1, or a whole number, got '1.5'",
      ["installations edit --dry-run --set a..b=c"] = "ampersand: installations edit: `path` is a text",
      ["webhook verify --tolerance soon"] = "--tolerance: expected a positive number, got 'soon'",
      ["installations list --where healthStatus==unhealthy"] = "did you mean = ?",
      ["installations list --template ''"] = "it is empty",
      ["installations list --reverse"] = "--sort", ["installations list --count --csv"] = "--csv does not go with it",
      ["providers list --count --select name"] = "--select does not go with it",
      ["installations list --html - --summary"] = "--html - and --summary both write",
      ["installations list --html - --svg -"] = "--svg - and --html - both write",
      ["config set project ''"] = "ampersand config unset project", ["config set url ' '"] = "ampersand config unset url",
      ["installations list --project ''"] = "--project is empty",
      ["installations delete x"] = "--yes",
      ["installations"] = "Usage: ampersand installations", ["topics create"] = '"name" is required',
      ["topics create -f name"] = "expected name=text", ["topics create -f 'name:={'"] = "--field name:",
      ["api GET '/a/../b'"] = "segment", ["api GTE /a"] = 'did you mean "GET"',
      ["installations list --url ftp://x"] = "only http and https",
      ["installations list --url http://api.example.com"] = "plain http",
      ["installations list --profile prod"] = 'no profile "prod"', ["config set kye x"] = 'did you mean "key"',
    } do
      local result = run("ampersand " .. script)
      assert.equal(2, result.code, script .. ": " .. result.err)
      assert.truthy(result.err:find(words, 1, true), script .. ": " .. result.err)
      assert.equal("", result.out)
      assert.is_nil(result.err:find("traceback", 1, true))
    end
    for words, environment in pairs {
      ["neither XDG_CONFIG_HOME nor HOME is set"] = { XDG_CONFIG_HOME = "", HOME = "" },
      ['"a b" cannot be a profile\'s name'] = { AMPERSAND_PROFILE = "a b" },
    } do
      local result = run("ampersand config set project x", environment)
      assert.equal(1, result.code, words .. ": " .. result.err)
      assert.truthy(result.err:find(words, 1, true), words .. ": " .. result.err)
    end
    local result = run("ampersand installations list", { AMPERSAND_PROJECT_ID = false })
    assert.equal(2, result.code)
    assert.truthy(result.err:find("ampersand config set project", 1, true))
  end)

  it("are 3 when a condition is not met", function()
    assert.equal(3, run("ampersand installations list --fail-if unhealthy").code)
    assert.equal(3, run("ampersand installations list --fail-if unhealthy --select id --csv").code)
    assert.equal(0, run("ampersand installations list --fail-if unhealthy --where healthStatus=healthy").code)
    assert.equal(3, run("ampersand installations list --fail-if empty --where id=nobody").code)
    assert.equal(3, run("ampersand installations list --fail-if any --count").code)
    assert.equal(0, run("ampersand installations list --where id=nobody --count").code)
    assert.equal(3, run("ampersand providers list --where name=nobody --count --fail-if empty").code)
    local selected = run "ampersand installations list --fail-if unhealthy --select id --ndjson --max 1"
    assert.equal('{"id":"installation-123"}\n', selected.out)
  end)

  it("are 4 without access", function()
    assert.equal(4, run("ampersand installations list", { AMP_API_KEY = "wrong-key" }).code)
    local result = run("ampersand installations list", { AMP_API_KEY = false })
    assert.equal(4, result.code)
    assert.truthy(result.err:find("ampersand config set key -", 1, true))
    assert.equal(4, run("ampersand users me").code)
    assert.equal(0, run("ampersand users me", { AMPERSAND_BEARER = "mock-token" }).code)
  end)

  it("are 130 after an interrupt while modules are loaded", function()
    local early = shell [[exec "$LUA" -e 'package.preload["ampersand.cli"] = function() error("f.lua:1: interrupted!", 0) end' \
      bin/ampersand installations list]]
    assert.equal(130, early.code, early.err)
    for _, module in ipairs { "argparse", "ampersand.cli.show", "ampersand.transport.curl" } do
      local result = run_without(module, "f.lua:1: interrupted!", "ampersand installations list")
      assert.equal(130, result.code, module .. ": " .. result.err)
    end
  end)

  it("are 5 after a timeout, and 130 after an interrupt, at once", function()
    set_fault { on = "listInstallations", hang = true }
    assert.equal(5, run("ampersand installations list --timeout 0.1 --tries 1").code)
    server:control("requests", { clear = true })
    local listing = session:start "ampersand installations list"
    listing:await(function() return server:requests().count == 1 end):signal "INT"
    assert.equal(130, listing:wait().code)
  end)
end)

describe("changes", function()
  it("take bodies from fields, files and standard input", function()
    local made = core.decode(run("ampersand topics create -f name=changes --json").out)
    assert.equal("changes", made.name)
    local id = made.id
    assert.equal("renamed", core.decode(run(("ampersand topics update %s --body - --json"):format(id), nil,
      '{"name": "renamed"}\n').out).name)
    command.write(session.home .. "/b", '{"name":"x"}')
    assert.equal("both", core.decode(run(("ampersand topics update %s --body $HOME/b"
      .. " -f name=both --json"):format(id)).out).name)
    local gone = run(("ampersand topics delete %s --yes"):format(id))
    assert.same({ 0, "", "deleted: " .. id .. "\n" }, { gone.code, gone.out, gone.err })
  end)

  it("take an object as a body, and no list", function()
    local result = run("ampersand topics create --body -", nil, "[1]\n")
    assert.same({ 2, "ampersand: --body: expected a JSON object\n" }, { result.code, result.err })
  end)

  it("nest dotted fields", function()
    local input = require "ampersand.cli.input"
    assert.same({ a = { b = "1", c = { d = 2 } }, e = true },
      input.fields({ a = { b = "0" } }, { "a.b=1", "a.c.d:=2", "e:=true" }))
  end)

  it("reach anything through api", function()
    assert.equal("my-project", core.decode(run("ampersand api GET /projects").out)[1].name)
    assert.equal("id\nconnection-123\n",
      run("ampersand api GET '/projects/my-project/connections?groupRef=group-123' --select id --csv").out)
    assert.equal("id\nconnection-123\n",
      run("ampersand api GET '/projects/my-project/connections?group%52ef=group-123' --select id --csv").out)
    local made = core.decode(run("ampersand api POST /projects/my-project/topics -f name=made").out)
    assert.equal("made", made.name)
    assert.equal(1, run("ampersand api GET /nowhere").code)
    local named = lines(run("ampersand api GET /projects/my-project/integrations --csv").out)
    assert.truthy(named[1]:find "^id,name,", named[1])
    assert.truthy(named[2]:find "^integration%-123,salesforce,", named[2])
    local link = run "ampersand oauth connect -f provider=salesforce -f groupRef=g -f consumerRef=c -f projectIdOrName=my-project"
    assert.truthy(link.out:find "^https://%S+\n$", link.out)
  end)
end)

describe("settings", function()
  -- Runs a command with a configuration file of this text.
  local function with_file(text, line, more)
    more = more or {}
    more.XDG_CONFIG_HOME = session.home .. "/file"
    command.write(core.make_private(more.XDG_CONFIG_HOME .. "/ampersand/config"), text)
    return run(line, more)
  end

  it("come from flags, the environment and profiles, in this order", function()
    local bare = { AMP_API_KEY = false, AMPERSAND_PROJECT_ID = false, AMPERSAND_INTEGRATION_ID = false }
    local function also(name, value)
      local more = { [name] = value }
      for each, given in pairs(bare) do more[each] = more[each] or given end
      return more
    end
    for _, set in ipairs { "key - --profile test", "project my-project --profile test", "integration nowhere --profile test", "project other" } do
      assert.equal(0, run("ampersand config set " .. set, bare, "mock-key\n").code)
    end
    assert.equal("test\ndefault\n", run("ampersand config profiles", bare).out)
    local count = "ampersand installations list --count --profile test"
    assert.equal(1, run(count, bare).code)
    bare.AMPERSAND_INTEGRATION_ID = "salesforce"
    local overridden = run(count, bare)
    assert.equal(1, overridden.code) -- an explicit --profile wins
    assert.equal("100\n", run("ampersand installations list --count", also("AMPERSAND_PROFILE", "test")).out)
    assert.equal("3\n", run(count .. " --integration hubspot", bare).out)
    local shown = run("ampersand config show", also("AMPERSAND_PROFILE", "test")).out
    assert.truthy(shown:find("key          [redacted]  (profile test)", 1, true), shown)
    assert.truthy(shown:find("integration  salesforce  (AMPERSAND_INTEGRATION_ID)", 1, true), shown)
    assert.truthy(run("ampersand config show --project here", bare).out:find("project      here  (--project)", 1, true))
    assert.equal(0, run("ampersand config unset project --profile test").code)
    assert.equal(2, run(count, bare).code)
  end)

  it("that are empty in the file count as not set", function()
    local result = with_file("[default]\nproject =\n", "ampersand installations list", { AMPERSAND_PROJECT_ID = false })
    assert.equal(2, result.code)
    assert.truthy(result.err:find("ampersand config set project", 1, true), result.err)
  end)

  it("that are no settings are named with their line", function()
    local result = with_file("[default]\nproject = p\nkeyy = x\n", "ampersand projects list")
    assert.equal(2, result.code)
    assert.truthy(result.err:find('line 3: unknown setting "keyy"', 1, true), result.err)
  end)
end)

describe("summaries", function()
  it("are bars, numbers, pictures and pages", function()
    local bars = run("ampersand installations list --summary").out
    assert.truthy(bars:find "^100 installations\n\nHealth\n  healthy   %d+ +[%d.]+%%  █")
    local numbers = core.decode(run("ampersand installations list --summary --json").out)
    assert.equal(100, numbers.total)
    assert.truthy(run("ampersand installations list --summary --csv").out:find(
      ("^of,value,count\nhealthStatus,healthy,%d\n"):format(numbers.healthStatus.healthy)))
    local unhealthy = tonumber(run("ampersand installations list --where healthStatus=unhealthy --count").out)
    assert.equal(unhealthy, numbers.healthStatus.unhealthy)
    local result = run 'ampersand installations list --svg "$HOME/a.svg" --html "$HOME/a.html"'
    assert.equal("", result.out)
    assert.equal(0, result.code)
    assert.truthy(command.read(session.home .. "/a.svg"):find("100 installations", 1, true))
    assert.truthy(command.read(session.home .. "/a.html"):find(unhealthy .. " of them unhealthy", 1, true))
    assert.equal(1, run("ampersand installations list --svg /nowhere/a.svg").code)
    local page = run "ampersand installations list --html -"
    assert.equal("", page.err)
    assert.truthy(page.out:find "^<!DOCTYPE html>.*</html>%s*$")
  end)
end)

describe("tools", function()
  it("doctor: finds what is wrong and says what to do", function()
    local well = run "ampersand doctor"
    assert.equal(0, well.code, well.out .. well.err)
    assert.is_nil(well.out:find("\nNO", 1, true))
    assert.equal("no problems found; try: ampersand installations list\n", well.err)
    local lacking = run("ampersand doctor", { AMPERSAND_PROJECT_ID = false, XDG_CONFIG_HOME = "/nowhere" })
    assert.equal(0, lacking.code)
    assert.truthy(lacking.out:find("ok  access       the server takes the key\n", 1, true), lacking.out)
    assert.truthy(lacking.err:find("what is marked !!", 1, true))
    assert.is_nil(well.out:find("mock-key", 1, true))
    local wrong = run("ampersand doctor", { AMP_API_KEY = "wrong-key" })
    assert.equal(4, wrong.code)
    assert.truthy(wrong.out:find "NO  access .-\n +fix: ")
    local lost = run("ampersand doctor", { AMP_API_URL = "http://127.0.0.1:1" })
    assert.equal(1, lost.code)
    assert.truthy(lost.out:find "NO  network .-\n +fix: ")
    local plain = run("ampersand doctor", { AMP_API_URL = session.env.AMP_API_URL:gsub("^http:", "https:") })
    assert.equal(1, plain.code)
    assert.truthy(plain.out:find "NO  network .-\n +fix: check %-%-url: no TLS is spoken at that port\n", plain.out)
    assert.equal(4, run("ampersand doctor", { AMP_API_KEY = false }).code)
    local junk = run("ampersand doctor", { AMP_API_URL = "junk" })
    assert.equal(1, junk.code)
    assert.truthy(junk.out:find "ok  project .-\nNO  url .-%(from AMP_API_URL%)\n +fix: ", junk.out)
    local absent = run "ampersand doctor --profile nowhere"
    assert.equal(1, absent.code)
    assert.truthy(absent.out:find 'NO  config +no profile "nowhere" .-\n +fix: ', absent.out)
    assert.truthy(run("ampersand doctor --integration none").out:find "NO  integration .-\n +fix: see: ")
    local blank = run("ampersand doctor", { AMP_API_KEY = "mock key" })
    assert.equal(4, blank.code)
    assert.truthy(blank.out:find("NO  key          8 characters (from AMP_API_KEY) has a blank in it\n", 1, true), blank.out)
  end)

  it("doctor: knows a clock that is wrong", function()
    local time = core.time
    finally(function() core.time = time end)
    for shift, word in pairs { [4000] = "ahead of", [-4000] = "behind" } do
      core.time = function() return os.time() + shift end
      local result = run "ampersand doctor"
      assert.equal(1, result.code)
      assert.truthy(result.out:find("NO  clock .- " .. word .. " the server's\n +fix: "), result.out)
    end
  end)

  it("doctor: knows libraries that are missing", function()
    local result = run_without("ampersand.crypto", "libx.so: cannot open\nmore", "ampersand doctor")
    assert.truthy(result.out:find("!!  library      ampersand.crypto does not load: libx.so: cannot open\n", 1, true), result.out)
    assert.equal(0, result.code)
    result = shell [[exec "$LUA" -e 'package.preload["ampersand.http"] = function() error("libx.so: cannot open\nmore", 0) end' \
      bin/ampersand doctor]]
    assert.truthy(result.out:find("NO  library      ampersand.http does not load: libx.so: cannot open\n", 1, true), result.out)
    assert.equal(1, result.code)
  end)

  it("doctor: wants the settings kept from others", function()
    local path = core.make_private(session.home .. "/open/ampersand/config")
    os.execute("exec chmod 644 " .. path)
    local result = run("ampersand doctor", { XDG_CONFIG_HOME = session.home .. "/open" })
    assert.equal(1, result.code)
    assert.truthy(result.out:find "NO  config       /%S+ is open to others %(.-%)\n +fix: chmod 600 /", result.out)
  end)

  it("any: what should not happen is reported as such", function()
    local result = run_without("ampersand.cli.show", "oh", "ampersand projects list")
    assert.same({ 1, "" }, { result.code, result.out })
    assert.truthy(result.err:find "^ampersand: oh\n.*\nThis is a mistake in ampersand itself%.\n$", result.err)
  end)

  it("--version, config path", function()
    assert.equal("ampersand " .. require("ampersand.version").number .. "\n", run("ampersand --color never --version").out)
    assert.equal("/a/ampersand/config\n", run("ampersand config path", { XDG_CONFIG_HOME = "/a" }).out)
    assert.equal("/b/.config/ampersand/config\n", run("ampersand config path", { XDG_CONFIG_HOME = false, HOME = "/b" }).out)
    assert.equal(2, run("ampersand config path", { XDG_CONFIG_HOME = false, HOME = false }).code)
  end)

  it("webhook verify: takes what is signed, refuses the rest", function()
    local crypto = require "ampersand.crypto"
    local secret, body, at = crypto.base64_encode "a secret of some length", '{"a":[1]}', os.time()
    local signed = ("id1.%d.%s"):format(at, body)
    local signature = crypto.base64_encode(crypto.hmac_sha256("a secret of some length", signed))
    local function verify(text, given)
      return run(("ampersand webhook verify -H 'svix-id: id1' -H 'svix-timestamp: %d' -H 'svix-signature: v1,%s'"):format(at, signature),
        { AMPERSAND_WEBHOOK_SECRET = given }, text)
    end
    local good = verify(body, "whsec_" .. secret)
    assert.equal(0, good.code, good.err)
    assert.same({ a = { 1 } }, core.decode(good.out))
    local bad = verify(body .. " ", "whsec_" .. secret)
    assert.same({ 1, "" }, { bad.code, bad.out })
    assert.equal(4, verify(body, false).code)
  end)

  it("proxy: names the customer, hands the answer on", function()
    local result = run "ampersand proxy GET /crm/v3/objects --project project-456 --installation installation-0000002"
    local seen = server:requests().requests
    local last = seen[#seen]
    assert.equal("installation-0000002", last.headers["x-amp-installation-id"], result.err)
    assert.equal("project-456", last.headers["x-amp-project-id"])
    assert.equal("1", last.headers["x-amp-proxy-version"])
    assert.equal(2, run("ampersand proxy GET /x").code)

    result = run("ampersand proxy POST '/a?b=c&d%5Be%5D=f+g&h' -f name=x --throttle --project my-project --integration salesforce"
      .. " --group-ref group-0000003")
    assert.equal(0, result.code, result.err)
    local told = core.decode(result.out)
    assert.same({ "POST", "/a", { b = "c", ["d[e]"] = "f g", h = "" }, '{"name":"x"}', "installation-0000003" },
      { told.method, told.path, told.query, told.body, told.installationId })
    seen = server:requests().requests
    last = seen[#seen]
    assert.same({ "project-456", "salesforce", "group-0000003", "throttle" }, {
      last.headers["x-amp-project-id"], last.headers["x-amp-integration-name"], last.headers["x-amp-group-ref"],
      last.headers["x-amp-rate-limiter-mode"],
    })
    result = run "ampersand proxy GET /status/409 --project my-project --installation installation-123"
    assert.is_true(result.code ~= 0 and result.err:find("409", 1, true) ~= nil, result.err)
  end)

  it("mock: serves, and says where", function()
    local where = session.home .. "/where"
    local serving = assert(io.popen(session:prelude() .. "ampersand mock --installations 2 --exit-on-eof >" .. where, "w"))
    local url = await(20, function() return command.read(where):match "^listening (%S+)\n" end)
    assert.equal("2\n", run("ampersand installations list --url " .. url .. " --count").out)
    serving:close() -- the end of its input, which it does not outlive
    assert.equal(2, run("ampersand mock --nonsense").code)
  end)
end)

describe("installed by make", function()
  it("the command runs from anywhere, with its manual and completions", function()
    local clean = "env -u MAKEFLAGS -u MAKELEVEL -u VARIANT -u LUA -u LD_PRELOAD "
    local made = shell(clean .. [[make -s install-files install-words PREFIX="$HOME/p" >/dev/null]])
    assert.same({ 0, "" }, { made.code, made.err })
    local result = shell [[unset LUA_PATH LUA_CPATH; cd /; "$HOME/p/bin/ampersand" installations list --count
      ls "$HOME"/p/share/man/man1 "$HOME"/p/share/*/completions "$HOME"/p/share/zsh/* "$HOME"/p/share/fish/*]]
    assert.equal("100\n", result.out:match "^%d+\n", result.err)
    for _, name in ipairs { "ampersand.1", "_ampersand", "ampersand.fish" } do
      assert.truthy(result.out:find("\n" .. name .. "\n", 1, true) or result.out:find("\n" .. name .. "$"), name)
    end
    assert.equal("100\n", shell([[unset LUA_PATH LUA_CPATH; mkdir -p "$HOME/links"; cd "$HOME/links"
      ln -s "$HOME/p/bin/ampersand" amp; ./amp installations list --count]]).out)
  end)
end)

describe("help", function()
  it("is there on every level, with an example", function()
    local tree = require("ampersand.cli.parser").build()
    local commands = 0
    local function visit(at)
      local text = at:get_help()
      assert.truthy(text:find "^Usage: ampersand", at._name)
      assert.truthy(text:find "Examples?:\n", at:_get_fullname())
      for line in text:gmatch "[^\n]+" do
        assert.is_true(width.of(line) <= 80 or line:find "^/" ~= nil, line) -- a path of the API stands in one piece
      end
      commands = commands + 1
      for _, each in ipairs(at._commands) do visit(each) end
    end
    visit(tree)
    assert.is_true(commands > 120, commands .. " commands")
  end)

  it("reports that argparse is missing", function()
    local result = run_without("argparse", "none", "ampersand projects list")
    assert.equal(1, result.code)
    assert.equal("ampersand: argparse is missing; install it (Debian: lua-argparse, LuaRocks: argparse)\n", result.err)
  end)

  it("goes to standard output and succeeds", function()
    local all = {
      "--help", "installations --help", "installations list -h", "mock --help", "webhook verify -h",
      "help topics list",
    }
    for _, words in ipairs(all) do
      local result = run("ampersand " .. words)
      assert.same({ 0, "" }, { result.code, result.err }, words)
      assert.truthy(result.out:find("Usage: ampersand", 1, true), words)
    end
    assert.equal("ampersand " .. require("ampersand.version").number .. "\n", run("ampersand --version").out)
  end)

  it("has a command for every operation", function()
    local operations = require "ampersand.client.operations"
    local tree = require("ampersand.cli.parser").build()
    local known = {}
    for _, resource in ipairs(tree._commands) do
      for _, verb in ipairs(resource._commands) do
        known[(resource._name .. " " .. verb._name):gsub("-", "_")] = true
      end
    end
    for _, op in ipairs(operations.all()) do
      assert.is_true(op.verb == "in_project" or known[op.resource .. " " .. op.verb], op.id)
    end
  end)
end)
