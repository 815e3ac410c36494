-- What users of other commands expect of one: -o, --limit, login, version, waiting, CSV for spreadsheets.

local command = require "support.command"
local core = require "ampersand.core"
local lfs = require "lfs"

local server, session

local function run(line, more, input) return session:call(line, more, input) end

setup(function() server, session = command.open { installations = 20, read_seconds = 0.1 } end)
teardown(function() command.close(server, session) end)

describe("-o", function()
  it("is each of the flags by name", function()
    local list = "ampersand installations list --max 2 --select id,group "
    for _, format in ipairs { "json", "ndjson", "csv", "tsv", "yaml" } do
      local expected = run(list .. "--" .. format).out
      assert.truthy(#expected > 0)
      assert.equal(expected, run(list .. "-o " .. format).out)
      assert.equal(expected, run(list .. "--output=" .. format).out)
    end
    assert.equal(run(list).out, run(list .. "-o table").out)
    local watch = "ampersand installations watch --polls 1 --existing --where id=installation-123 "
    assert.equal("installed", core.decode(run(watch .. "-o ndjson").out).type)
    assert.is_nil(run(watch .. "-o table").out:find("{", 1, true))
    for script, words in pairs {
      ["-o xml"] = "must be one of 'table', 'json'", ["-o json --csv"] = "can not be used together", ["--count -o csv"] = "--csv does not go with it",
    } do
      local result = run("ampersand installations list " .. script)
      assert.equal(2, result.code)
      assert.truthy(result.err:find(words, 1, true), result.err)
    end
  end)
end)

describe("--limit", function()
  it("is --max", function()
    assert.equal("installation-123\n", run("ampersand installations list --limit 1 --template '{id}'").out)
    assert.truthy(run("ampersand installations list --limit -1").err:find("--max: expected a whole number", 1, true))
  end)
end)

describe("version", function()
  it("is a command as well as a flag", function()
    local number = require("ampersand.version").number
    assert.truthy(run("ampersand version").out:find("^ampersand " .. number:gsub("%p", "%%%0") .. " %(Lua[^\n]*%)\n$"))
  end)
end)

describe("login", function()
  local bare = { AMP_API_KEY = false, AMPERSAND_PROJECT_ID = false, AMPERSAND_INTEGRATION_ID = false }
  local function config() return command.read(session.home .. "/ampersand/config") end

  it("keeps a key that the server takes, for its owner alone, and logout removes it", function()
    os.remove(session.home .. "/ampersand/config")
    local result = run("ampersand login --integration salesforce", bare, "mock-key\n")
    assert.truthy(result.err:find("the server takes the key; it is in profile default", 1, true), result.err)
    assert.equal("rw-------", lfs.attributes(session.home .. "/ampersand/config", "permissions"))
    assert.equal("20\n", run("ampersand installations list --count", bare).out, "the only project is kept with it")
    result = run("ampersand logout", bare)
    assert.truthy(result.err:find("removed from profile default: key\n", 1, true), result.err)
    result = run("ampersand installations list", bare)
    assert.truthy(result.err:find("no API key", 1, true), result.err)
    assert.equal("[default]\nintegration = salesforce\nproject = my-project\n", config())
    assert.truthy(run("ampersand logout").err:find("profile default has no key\nAMP_API_KEY is still set\n", 1, true))
  end)

  it("keeps nothing of a key that it could not try, and says why by its code", function()
    local before = config()
    assert.equal(4, run("ampersand login --profile new", bare, "wrong-key\n").code)
    assert.equal(1, run("ampersand login --profile new --url http://127.0.0.1:1 --tries 1", bare, "mock-key\n").code)
    assert.equal(2, run("ampersand login --profile new", bare).code) -- nothing on standard input
    assert.equal(before, config())
    local named = run("ampersand login --profile new --project my-project --quiet", bare, "mock-key\n")
    assert.same({ 0, "", "" }, { named.code, named.out, named.err })
    assert.equal(0, run("ampersand projects list --profile new", bare).code)
  end)

  it("asks without echo on a terminal", function()
    if not command.has_terminal() then pending(command.NO_TERMINAL) end
    local shown = session:show("ampersand login --profile typed", { keys = "mock-key\r", after = "API key: ", env = bare })
    assert.equal(0, shown.code, shown.out)
    assert.is_nil(shown.out:find("mock-key", 1, true), shown.out)
  end)
end)

describe("--wait", function()
  it("follows a read to its end", function()
    local read = "ampersand installations read contact -f groupRef=group-123 --wait --interval 0.05 "
    local result = run(read .. "--template '{actionType} {status}'")
    assert.same({ "read success\n", "", 0 }, { result.out, result.err, result.code })
    server:control("settings", { ["fail-reads"] = true })
    assert.equal(3, run(read).code)
    server:control("settings", { ["read-seconds"] = 600 })
    assert.equal(5, run(read .. "--timeout 0.1").code)
  end)
end)

describe("--spreadsheet", function()
  it("writes no cell that is a formula, and leaves numbers and texts as they are", function()
    local dangerous = { "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", "－1+1", "＋1", "＠x" }
    local harmless = { "-5", "+1.5", "a=b", "x@y.z", "plain", "株式会社" }
    for _, list in ipairs { dangerous, harmless } do
      for _, name in ipairs(list) do
        assert.equal(0, run("ampersand topics create --quiet --body -", nil, core.encode { name = name }).code)
      end
    end
    local rows = {}
    for row in (run("ampersand topics list --spreadsheet --select name --no-header").out:gsub('"([^"]*)"', function(quoted)
      return (quoted:gsub("[\r\n]", "?"))
    end)):gmatch "[^\n]+" do rows[row:gsub("?", "\r")] = true end
    for _, name in ipairs(dangerous) do
      assert.is_true(rows["'" .. name], name)
      assert.is_nil(rows[name], name)
    end
    for _, name in ipairs(harmless) do assert.is_true(rows[name], name) end
    assert.equal(run("ampersand topics list --csv --select id").out, run("ampersand topics list --spreadsheet --select id").out)
    assert.truthy(run("ampersand topics list --spreadsheet --tsv --select name").out:find("\n'=1+1\n", 1, true))
  end)
end)
