local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local manifest = require "ampersand.fleet.manifest"
local facts = require "ampersand.fleet.manifest_schema"
local generate = require "support.generate_manifest"

-- A whole manifest in which every member of the schema occurs, as lines.
local WHOLE = [[
specVersion: 1.0.0
integrations:
  - name: salesforce
    provider: salesforce
    displayName: Salesforce
    module: crm
    read:
      objects:
        - objectName: contact
          destination: defaultWebhook
          schedule: "*/10 * * * *"
          mapToName: people
          mapToDisplayName: People
          enabled: always
          requiredFields:
            - fieldName: id
            - fieldName: email
              mapToName: mail
              mapToDisplayName: Mail
          optionalFields:
            - mapToName: priority
              mapToDisplayName: Priority
              default: low
              prompt: Which field?
          optionalFieldsAuto: all
          backfill:
            defaultPeriod:
              days: 30
          delivery:
            mode: onRequest
            pageSize: 50
        - objectName: lead
          destination: defaultWebhook
          schedule: 0 * * * *
          backfill:
            defaultPeriod:
              fullHistory: true
    write:
      objects:
        - objectName: contact
          inheritMapping: true
          valueDefaults:
            allowAnyFields: false
    proxy:
      enabled: true
      useModule: false
    subscribe:
      objects:
        - objectName: contact
          destination: defaultWebhook
          inheritFieldsAndMapping: true
          createEvent:
            enabled: always
          updateEvent:
            enabled: always
            watchFieldsAuto: selected
            requiredWatchFields: [email, phone]
          deleteEvent:
            enabled: always
          associationChangeEvent:
            enabled: always
            includeFullRecords: true
          otherEvents: [object.merged]
    watchSchema:
      destination: fieldWatch
      schedule: 0 */6 * * *
      allObjects:
        fieldCreated:
          enabled: always
        fieldDeleted:
          enabled: always
        fieldChanged:
          enabled: always
]]

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  return lines
end

local function mistakes(text)
  local _, problems = manifest.read(text)
  local found = {}
  for _, problem in ipairs(problems) do
    if not problem.warning then found[#found + 1] = problem end
  end
  return found
end

describe("the manifest's facts", function()
  it("are those of the vendor's document", function()
    if not generate.possible() then return pending "the vendor's manifest.yaml is not beside this project (../shared/api)" end
    assert.same(generate.facts(), facts)
  end)
end)

describe("reading a manifest", function()
  it("accepts one with every member, and gives its value", function()
    local value, problems = manifest.read(WHOLE)
    assert.same({}, problems)
    local contact = value.integrations[1].read.objects[1]
    assert.equal("1.0.0", value.specVersion)
    assert.equal(30, contact.backfill.defaultPeriod.days)
    assert.is_true(value.integrations[1].proxy.enabled)
    assert.equal(core.array_mt, getmetatable(contact.requiredFields))
    assert.same(core.array { "email", "phone" }, value.integrations[1].subscribe.objects[1].updateEvent.requiredWatchFields)
  end)

  it("agrees with lyaml about values, aliases and merged objects", function()
    local lyaml = require "lyaml"
    for _, text in ipairs {
      WHOLE, "a: 1\nb: -2\nc: 1.5\nd: 'x'\ne: \"y\\n\"\nf: |\n  text\n  more\ng: true\nh: [1, two]\ni: {j: 3}\n",
      "base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\nlist: &l [1, 2]\nagain: *l\n", "a: 0x1F\nb: +7\nc: 1e3\nd: .5\ne: '7'\n",
    } do
      local value = manifest.read(text)
      assert.is_true(deep.equal(lyaml.load(text), value), text)
    end
  end)

  it("names the line of a misspelt name, whichever it is, and suggests the right one", function()
    local lines, count = lines_of(WHOLE), 0
    for i, line in ipairs(lines) do
      local indent, name, rest = line:match "^([ %-]*)(%a+):(.*)$"
      if name and #name >= 4 then
        local before = lines[i]
        lines[i] = ("%s%s%s:%s"):format(indent, name:sub(1, -2), name:sub(-1):rep(2), rest) -- the last letter twice
        local found = mistakes(table.concat(lines, "\n") .. "\n")
        local hit = false
        for _, problem in ipairs(found) do
          hit = hit or problem.line == i and problem.column == #indent + 1
            and problem.message:find(('did you mean %q?'):format(name), 1, true) ~= nil
        end
        assert.is_true(hit, lines[i])
        lines[i], count = before, count + 1
      end
    end
    assert.is_true(count > 55, tostring(count))
  end)

  it("names the line of a value of another type, whichever it is", function()
    local lines, count = lines_of(WHOLE), 0
    for i, line in ipairs(lines) do
      local head, value = line:match "^([ %-]*%a+: *)(%S.*)$"
      if value then
        local before = lines[i]
        for _, wrong in ipairs { "{ x: 1 }", "[[1]]", value:find '^"?[%a*01]' and not value:find "true" and not value:find "^%d+$"
          and "12.5" or '"12"' } do
          lines[i] = head .. wrong
          local found = mistakes(table.concat(lines, "\n") .. "\n")
          assert.is_true(#found > 0, lines[i])
          assert.equal(i, found[1].line, lines[i])
        end
        lines[i], count = before, count + 1
      end
    end
    assert.is_true(count > 40, tostring(count))
  end)

  it("misses every required member", function()
    for kind, members in pairs(facts) do
      for name, each in pairs(type(members) == "table" and members or {}) do
        if each:find "!$" and not kind:find "^IntegrationField" then
          local lines, kept = lines_of(WHOLE), {}
          for _, line in ipairs(lines) do
            -- The member goes with everything below it: its line is made a comment, which leaves an empty value.
            local indent, rest = line:match("^([ %-]*)" .. name .. ":(.*)$")
            if indent and rest then line = indent .. "other" .. name .. ":" .. rest end
            kept[#kept + 1] = line
          end
          local found = mistakes(table.concat(kept, "\n") .. "\n")
          assert.is_true(#found > 0, kind .. "." .. name)
        end
      end
    end
  end)

  it("refuses what no schema says: twice the same, bounds, periods without a length", function()
    for message, change in pairs {
      ['"lead" is given twice'] = { "objectName: contact\n          destination", "objectName: lead\n          destination" },
      ["must be from 50 to 500"] = { "pageSize: 50", "pageSize: 501" },
      ["must be at least 0"] = { "days: 30", "days: -1" },
      ['"days" or "fullHistory" is required'] = { "days: 30", "other: 30" },
      ["must be onRequest or auto"] = { "mode: onRequest", "mode: sometimes" },
      ["must not be empty"] = { "destination: fieldWatch", 'destination: ""' },
      ["must be a whole number"] = { "pageSize: 50", "pageSize: 50.5" },
      ["must be a text (put it in quotes)"] = { "specVersion: 1.0.0", "specVersion: 1.0" },
      ['"name" is given twice here, first in line 3'] = { "    displayName", "    name: x\n    displayName" },
    } do
      local from, to = WHOLE:find(change[1], 1, true)
      local text = WHOLE:sub(1, from - 1) .. change[2] .. WHOLE:sub(to + 1)
      local _, problems = manifest.read(text)
      local found = {}
      for i, problem in ipairs(problems) do found[i] = problem.message end
      assert.truthy(table.concat(found, "\n"):find(message, 1, true), message .. ": " .. table.concat(found, "\n"))
    end
  end)

  it("lets a name pass that resembles nothing, with a warning, for the schema may have grown", function()
    local _, problems = manifest.read((WHOLE:gsub("    module: crm", "    frobnicate: {x: [1]}")))
    assert.equal(1, #problems)
    assert.is_true(problems[1].warning)
    assert.equal("amp.yaml:6:5: warning: integrations[salesforce].frobnicate: unknown name \"frobnicate\"",
      manifest.line("amp.yaml", problems[1]))
  end)

  it("says where a text is not YAML, or not one manifest", function()
    for text, expected in pairs {
      ["a: [1\nb: 2\n"] = "x:2:2: not YAML", ["\tx: 1\n"] = "x:1:1: not YAML", [""] = "x:1:1: the manifest is empty",
      ["# nothing\n"] = "the manifest is empty", ["a: 1\n---\nb: 1\n"] = "x:2:1: a manifest is one document",
      ["a: 1\na: 2\n"] = 'x:2:1: "a" is given twice', ["a: *x\n"] = "x:1:4: the alias *x has no anchor",
      ["a: &x [*x]\n"] = "the alias *x has no anchor", ["? [a]\n: 1\n"] = "x:1:3: a name must be a text",
      ["a: \255\n"] = "not YAML", [("["):rep(80) .. ("]"):rep(80)] = "nested too deeply",
    } do
      local value, problems = manifest.read(text)
      assert.is_nil(value, text)
      assert.truthy(manifest.line("x", problems[1]):find(expected, 1, true), manifest.line("x", problems[1]))
    end
    for _, text in ipairs { "[]", "7", "text", "- a" } do assert.is_true(#mistakes(text) > 0, text) end
  end)

  it("bounds what aliases stand for", function()
    local lines = { "a0: &a0 [1,1,1,1,1,1,1,1,1,1]" }
    for i = 1, 12 do
      local alias = ("*a%d"):format(i - 1)
      lines[#lines + 1] = ("a%d: &a%d [%s]"):format(i, i, (alias .. ","):rep(9) .. alias)
    end
    local value, problems = manifest.read(table.concat(lines, "\n") .. "\n")
    assert.is_nil(value)
    assert.truthy(problems[1].message:find("too large", 1, true))
  end)

  it("says what to install where lyaml is absent", function()
    local loaded = package.loaded.yaml
    package.loaded.yaml = nil
    package.preload.yaml = function() error "absent" end
    local value, message = manifest.read(WHOLE)
    package.loaded.yaml, package.preload.yaml = loaded, nil
    assert.is_nil(value)
    assert.truthy(message:find("lua-yaml", 1, true))
  end)
end)
