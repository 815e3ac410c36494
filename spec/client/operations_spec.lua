local operations = require "ampersand.client.operations"
local facts = require "support.facts"
local documents = require "support.documents"
local grammar = require "support.operations_grammar"

local function sorted(list)
  table.sort(list)
  return table.concat(list, " ")
end

local function copy(t)
  local new = {}
  for key, value in pairs(t) do new[key] = value end
  return new
end

local function query_column(op)
  local names = {}
  for name in pairs(op.query) do names[name] = name end
  for _, name in ipairs(op.required_query) do names[name] = name .. "!" end
  local list = {}
  for _, marked in pairs(names) do list[#list + 1] = marked end
  return sorted(list)
end

-- All names a body may have at its top, and what must be there.
local function body_columns(op)
  local fields, required = {}, {}
  for _, field in ipairs(op.body or {}) do
    local names = field.one_of or (not field.path[2] and { field.name }) or {}
    for _, name in ipairs(names) do fields[#fields + 1] = name end
    if field.one_of then table.sort(field.one_of) end
    if field.required then required[#required + 1] = field.one_of and table.concat(field.one_of, "|") or field.name end
  end
  return sorted(fields), sorted(required)
end

local CONTENT = { text = "text/plain", none = "-" }

-- An operation of ours in the columns of the facts table.
local function row_of(op)
  local row = { id = op.id, method = op.method, server = op.server or "-", path = op.path, auth = op.auth }
  row.path_params, row.query = sorted(copy(op.placeholders)), query_column(op)
  row.body = op.body and (op.body_required and "required" or "optional") or "-"
  row.body_type = op.body and "application/json" or "-"
  row.fields, row.required_fields = body_columns(op)
  row.status, row.shape, row.dropped = op.status, op.shape, op.dropped or false
  row.content_type = CONTENT[op.returns] or "application/json"
  return row
end

local function by_id(list)
  local rows = {}
  for _, row in ipairs(list) do rows[row.id] = row end
  return rows
end

-- Every way in which two tables of rows differ in the columns of the first, as "id.column: ours, theirs".
local function differences(ours, theirs)
  local found = {}
  for id, row in pairs(ours) do
    for column, value in pairs(theirs[id] and row or {}) do
      if theirs[id][column] ~= value then
        found[#found + 1] = ("%s.%s: %s, %s"):format(id, column, tostring(value), tostring(theirs[id][column]))
      end
    end
    if not theirs[id] then found[#found + 1] = id .. ": nobody asked for it" end
  end
  for id in pairs(theirs) do
    if not ours[id] then found[#found + 1] = id .. ": missing" end
  end
  table.sort(found)
  return found
end

local function our_rows()
  local rows = {}
  for _, op in ipairs(operations.all()) do rows[op.id] = row_of(op) end
  return rows
end

local function wanted_rows()
  local rows = by_id(facts)
  for id, row in pairs(rows) do
    rows[id] = copy(row)
    rows[id].query = row.query:gsub(":%w+", "")
  end
  return rows
end

local compares = documents.specs(it, pending)

describe("the table of operations", function()
  it("asks for exactly what the facts table says, in every column", function()
    assert.same({}, differences(our_rows(), wanted_rows()))
  end)

  it("has all 88 operations of the documents and the three dropped ones, each once", function()
    local seen, all, dropped = {}, operations.all(), 0
    for _, op in ipairs(all) do
      assert.is_nil(seen[op.id], op.id)
      seen[op.id] = true
      if op.dropped then dropped = dropped + 1 end
    end
    assert.equal(91, #all)
    assert.equal(91, #facts)
    assert.equal(3, dropped)
  end)

  it("is reached by resource and verb, and by the vendor's name", function()
    local op = operations.get("installations", "list")
    assert.equal(op, operations.by_id.listInstallations)
    assert.equal("installations", op.resource)
    assert.equal("list", op.verb)
    assert.equal("Installation", op.element)
    assert.equal("array", op.returns)
    assert.is_nil(operations.get("installations", "fly"))
    assert.is_nil(operations.get("moons", "list"))
    assert.is_nil(operations.by_id.listMoons)
    assert.equal("users", operations.by_id.getMyInfo.resource)
    for _, odd in ipairs { "", "list", "topics\n", "users\n  me", "top.cs", "%l+", 1, true } do
      assert.is_nil(operations.get(odd, "list"))
      assert.is_nil(operations.by_id[odd])
    end
    assert.is_nil(operations.by_id["listTopics GET"])
  end)

  it("marks the GETs that change something for the retry layer", function()
    assert.same({ refresh = "force" }, operations.by_id.getConnection.unsafe_query)
    assert.same({ rotate = true }, operations.by_id.getDestination.unsafe_query)
    for _, op in ipairs(operations.all()) do
      for name in pairs(op.unsafe_query or {}) do assert.is_true(op.query[name]) end
      if op.unsafe_query then assert.equal("GET", op.method) end
    end
  end)

  it("wants a nested field only inside a field it knows", function()
    for _, op in ipairs(operations.all()) do
      local known = {}
      for _, field in ipairs(op.body or {}) do known[field.path[1]] = true end
      for _, field in ipairs(op.body or {}) do
        if field.path[2] then assert.is_true(known[field.path[1]], op.id .. " " .. field.name) end
      end
    end
  end)

  it("uses snake_case for our names", function()
    for _, op in ipairs(operations.all()) do
      assert.truthy(op.resource:match "^%l[%l_]*$", op.resource)
      assert.truthy(op.verb:match "^%l[%l_]*$", op.verb)
    end
  end)
end)

describe("the comparison", function()
  -- column, operation, what to change in its line
  local MUTATIONS = {
    { "id", "getOrg", "getOrg", "gotOrg" },
    { "method", "getOrg", "GET", "POST" },
    { "server", "pauseReads", "read:", "write:" },
    { "server", "pauseReads", "read:", "" },
    { "path", "getOrg", "/orgs", "/org" },
    { "path_params", "getOrg", "{orgId}", "{org}" },
    { "query", "listApiKeys", "?active", "?actives" },
    { "query", "checkClaimedDomain", "domain!", "domain" },
    { "body", "createOrgInvite", "}?", "}" },
    { "body", "createOrg", "{label!} ", "" },
    { "body_type", "createOrg", "{label!} ", "" },
    { "fields", "createApiKey", ",scopes", "" },
    { "required_fields", "createApiKey", "label!", "label" },
    { "required_fields", "createInstallation", "config.content!", "config.content" },
    { "required_fields", "patchObjectConfigContent", "groupRef|installationId!", "groupRef,installationId" },
    { "auth", "getOrg", "@bearer", "" },
    { "auth", "triggerRead", "@key", "@none" },
    { "status", "createOrg", "201", "200" },
    { "content_type", "oauthConnect", "text", "Text" },
    { "shape", "listOperations", "results[Operation]", "[Operation]" },
    { "shape", "listProviders", "{ProviderInfo}", "[ProviderInfo]" },
    { "dropped", "deleteProject", " dropped", "" },
  }

  local function mutated(id, from, to)
    local op = operations.by_id[id]
    local line = operations.lines[op.resource][op.verb]
    local first, last = line:find(from, 1, true)
    assert(first, from)
    return operations.parse(line:sub(1, first - 1) .. to .. line:sub(last + 1))
  end

  it("notices a change of any column", function()
    for _, mutation in ipairs(MUTATIONS) do
      local column, id, from, to = mutation[1], mutation[2], mutation[3], mutation[4]
      local ours = our_rows()
      ours[id] = row_of(mutated(id, from, to))
      local text = table.concat(differences(ours, wanted_rows()), "\n")
      assert.truthy(text:find(id .. "." .. column .. ":", 1, true), id .. "." .. column .. " in: " .. text)
    end
  end)

  it("covers every column of an operation", function()
    local covered = {}
    for _, mutation in ipairs(MUTATIONS) do covered[mutation[1]] = true end
    for column in pairs(row_of(operations.by_id.getOrg)) do assert.is_true(covered[column], column) end
  end)

  it("notices a missing and a surplus operation", function()
    local ours = our_rows()
    ours.getOrg, ours.listMoons = nil, row_of(operations.by_id.listTopics)
    assert.same({ "getOrg: missing", "listMoons: nobody asked for it" }, differences(ours, wanted_rows()))
  end)
end)

describe("a line", function()
  it("of the table keeps the grammar", function()
    for _, op in ipairs(operations.all()) do
      assert.has_no_error(function() grammar.check(operations.lines[op.resource][op.verb]) end)
    end
  end)

  it("that breaks the grammar is refused here", function()
    for _, line in ipairs {
      "", "listOrgs", "listOrgs GET /orgs", "listOrgs FETCH /orgs -> 200 [Org]", "listOrgs GET orgs -> 200 [Org]",
      "listOrgs GET mars:/orgs -> 200 [Org]", "listOrgs GET /orgs{?a b} -> 200 [Org]",
      "listOrgs GET /orgs{?a,a} -> 200 [Org]", "listOrgs GET /orgs{id -> 200 [Org]",
      "listOrgs GET /orgs @moon -> 200 [Org]", "listOrgs GET /orgs {a}{b} -> 200 [Org]",
      "listOrgs GET /orgs {a} {b} -> 200 [Org]", "listOrgs GET /orgs {a$} -> 200 [Org]",
      "listOrgs GET /orgs -> 404 [Org]", "listOrgs GET /orgs -> 200 Org]", "listOrgs GET /orgs -> 200",
      "listOrgs GET /orgs -> 200 [Org] soon",
    } do
      assert.has_error(function() grammar.check(line) end)
    end
  end)

  it("says what broke and where", function()
    local ok, message = pcall(grammar.check, "listOrgs GET mars:/orgs -> 200 [Org]")
    assert.is_false(ok)
    assert.equal("bad operation line (server): listOrgs GET mars:/orgs -> 200 [Org]", message)
  end)

  it("becomes one plain table", function()
    assert.same({
      id = "writeX", method = "POST", server = "write", path = "/a/{b}/{c}:go", placeholders = { "b", "c" },
      query = { p = true, q = true }, query_names = { "p", "q" }, required_query = { "q" }, body_required = false,
      body = {
        { name = "x", required = true, path = { "x" } },
        { name = "x.y", required = true, path = { "x", "y" } },
        { name = "s|t", required = false, path = { "s|t" }, one_of = { "s", "t" } },
      },
      auth = "key", status = 200, shape = "results[Thing]", returns = "page", element = "Thing", dropped = true,
    }, operations.parse "writeX POST write:/a/{b}/{c}:go{?p,q!} {x!,x.y!,s|t}? @key -> 200 results[Thing] dropped")
  end)
end)

describe("the facts table", function()
  compares("is what the vendor's documents say", function()
    assert.same({}, differences(by_id(facts), documents.rows()))
  end)

  local SHAPES = {
    { "^array<(%w+)>$", "[%1]" }, { "^object%((%w+)%)$", "%1" }, { "^oneOf%((.+)%)$", "%1" }, { "^string$", "text" },
    { "^paginated{results:array<(%w+)>,pagination}$", "results[%1]" }, { "^empty$", "-" },
    { "^object%-keyed%-by%-name<(%w+)>%b()$", "{%1}" },
  }
  -- The table calls these answers "inline": they have no name, or their branches have none.
  local INLINE = { createBillingAccountSession = "inline", customAuthConnect = "inline|inline" }

  local function tsv_shape(text)
    for _, rule in ipairs(SHAPES) do
      if text:match(rule[1]) then return (text:gsub(rule[1], rule[2])) end
    end
    return text
  end

  local function tsv_required(text)
    local pair = { text:match "One of (%w+) or (%w+) is required" }
    if pair[1] then return (sorted(pair):gsub(" ", "|")) end
    local a, common, b = text:match "^oneOf:(%w+)%+([%w+]+) / oneOf:(%w+)"
    if a then return sorted { a .. "|" .. b, common:match "^(%w+)", common:match "(%w+)$" } end
    local names = {}
    for token in text:gmatch "%S+" do
      local parent, inner = token:match "^(%w+)%.{(.+)}$"
      for name in (inner or token):gmatch "%w+" do names[#names + 1] = parent and parent .. "." .. name or name end
    end
    return sorted(names)
  end

  local function split_sorted(text, item)
    local list = {}
    for name in text:gmatch(item) do list[#list + 1] = name end
    return sorted(list)
  end

  local SERVERS = { api = "-", read = "read", write = "write", search = "search" }
  local BODY = { yes = "required", no = "optional", ["-"] = "-" }
  local AUTH = { ["APIKeyHeader(header:X-Api-Key)|bearer"] = "any", ["APIKeyHeader(header:X-Api-Key)"] = "key" }

  local function tsv_row(cells)
    local query = cells.query_params:gsub("[%[{][^%s]*", "")
    return {
      id = cells.operationId, tag = cells.tag, method = cells.method, path = cells.path,
      server = SERVERS[cells.server:match "^https://(%l+)%.withampersand%.com/v1$"],
      query = split_sorted(query, "%S+"), auth = AUTH[cells.auth] or cells.auth,
      path_params = split_sorted(cells.path_params, "%w+"), body = BODY[cells.body_required],
      body_type = cells.body_content_type == "" and "-" or cells.body_content_type,
      required_fields = tsv_required(cells.body_required_fields), status = tonumber(cells.success_status),
      content_type = cells.success_content:match "^%d+:(%S+)$", shape = tsv_shape(cells.response_shape),
      errors = split_sorted((cells.errors:gsub(":%S+", "")), "%S+"),
    }
  end

  compares("is what the table of operations beside the project says", function()
    local theirs, ours = documents.tsv(), by_id(facts)
    for id, cells in pairs(theirs) do theirs[id] = tsv_row(cells) end
    for id, fact in pairs(ours) do
      if fact.dropped then ours[id] = nil end
    end
    for id, text in pairs(INLINE) do
      assert.equal(text, theirs[id].shape)
      theirs[id].shape = ours[id].shape
    end
    assert.same({}, differences(theirs, ours))
  end)
end)
