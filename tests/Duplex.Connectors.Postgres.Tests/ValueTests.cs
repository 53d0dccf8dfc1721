using System.Buffers;
using System.Text;
using System.Text.Json;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Duplex.Connectors.Postgres.Tests;

[Collection(PostgresCollection.Name)]
public sealed class ValueTests(PostgresServer postgres)
{
    private const string Definitions = """
        CREATE TYPE mood AS ENUM ('sad', 'so "so"', 'Happy, very');
        CREATE DOMAIN cents AS numeric(20,2) CHECK (VALUE >= 0);
        CREATE DOMAIN pair AS int[] CHECK (cardinality(VALUE) = 2);
        CREATE DOMAIN euros AS cents;
        CREATE TYPE place AS (street text, "No" int, tags text[]);
        CREATE TYPE floatrange AS RANGE (subtype = float8);
        """;

    public static TheoryData<string, string, string?> Values => new()
    {
        { "int2", "'-32768'", "-32768" },
        { "int4", "'2147483647'", "2147483647" },
        { "int8", "'-9223372036854775808'", "-9223372036854775808" },
        { "oid", "'4294967295'", "4294967295" },
        { "numeric", "'1.50'", "1.50" },
        { "numeric", "('1' || repeat('0', 400) || '.' || repeat('7', 300))", null },
        { "numeric", "'0.' || repeat('0', 16000) || '1'", null },
        { "numeric(12,3)", "'-0.5'", "-0.500" },
        { "numeric", "'NaN'", "\"NaN\"" },
        { "numeric", "'Infinity'", "\"Infinity\"" },
        { "numeric", "'-Infinity'", "\"-Infinity\"" },
        { "float4", "'3.4028235e38'", "3.4028235e+38" },
        { "float4", "'NaN'", "\"NaN\"" },
        { "float8", "'0.1'", "0.1" },
        { "float8", "'5e-324'", "5e-324" },
        { "float8", "'-0'", "-0" },
        { "float8", "'-Infinity'", "\"-Infinity\"" },
        { "bool", "'yes'", "true" },
        { "bool", "'off'", "false" },
        { "text", "''", "\"\"" },
        { "text", "E'tab\\t nl\\n cr\\r quote\" back\\\\ slash/ \\u0001 \\u2028 \\U0001F600 \\x7f'", null },
        { "text", "'null'", "\"null\"" },
        { "varchar(5)", "'ab'", "\"ab\"" },
        { "char(5)", "'ab'", "\"ab   \"" },
        { "\"char\"", "'x'", "\"x\"" },
        { "name", "'pg'", "\"pg\"" },
        { "date", "'2026-01-31'", "\"2026-01-31\"" },
        { "date", "'0044-03-15 BC'", "\"0044-03-15 BC\"" },
        { "date", "'-infinity'", "\"-infinity\"" },
        { "date", "'5874897-12-31'", "\"5874897-12-31\"" },
        { "timestamp", "'2026-01-31 12:00:00.000001'", "\"2026-01-31 12:00:00.000001\"" },
        { "timestamp", "'4713-01-01 00:00:00 BC'", "\"4713-01-01 00:00:00 BC\"" },
        { "timestamp(0)", "'2026-01-31 12:00:00.6'", "\"2026-01-31 12:00:01\"" },
        { "timestamptz", "'2026-01-31 12:00:00+05:30'", "\"2026-01-31 06:30:00+00\"" },
        { "timestamptz", "'infinity'", "\"infinity\"" },
        { "timestamptz", "'0001-12-31 23:59:59.999999+00 BC'", "\"0001-12-31 23:59:59.999999+00 BC\"" },
        { "time", "'24:00:00'", "\"24:00:00\"" },
        { "timetz", "'12:00:00.5+15:59'", "\"12:00:00.5+15:59\"" },
        { "interval", "'-1 year 2 months -3 days 04:05:06.000007'", "\"-10 mons -3 days +04:05:06.000007\"" },
        { "interval", "'0'", "\"00:00:00\"" },
        { "bytea", "'\\x00ff5c22'", "\"\\\\x00ff5c22\"" },
        { "bytea", "''", "\"\\\\x\"" },
        { "uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"" },
        { "bit(4)", "B'0101'", "\"0101\"" },
        { "varbit", "B''", "\"\"" },
        { "inet", "'::1/64'", "\"::1/64\"" },
        { "inet", "'10.0.0.1'", "\"10.0.0.1\"" },
        { "cidr", "'10.0.0.0/8'", "\"10.0.0.0/8\"" },
        { "macaddr8", "'08:00:2b:01:02:03:04:05'", "\"08:00:2b:01:02:03:04:05\"" },
        { "money", "'-1234.56'", "\"-$1,234.56\"" },
        { "tsvector", "'a:1A b c''d'", null },
        { "tsquery", "'fat & (rat | !cat)'", null },
        { "xml", "'<a b=\"1\">x</a>'", null },
        { "point", "'(1.5,-2)'", "\"(1.5,-2)\"" },
        { "box[]", "'{(1,1),(0,0);(3,3),(2,2)}'", "[\"(1,1),(0,0)\",\"(3,3),(2,2)\"]" },
        { "pg_lsn", "'16/B374D848'", "\"16/B374D848\"" },
        { "json", "'{\"b\": 1,\n \"a\":[1, 2.50e400, null, {\"x\":\"y\"}], \"b\":2}'", null },
        { "json", "' null '", "\" null \"" },
        { "jsonb", "'{\"a\":{\"b\":[true,null,\"\\u00e9\"]}}'", "{\"a\": {\"b\": [true, null, \"é\"]}}" },
        { "jsonb", "'null'", "\"null\"" },
        { "jsonb", "'\"text\"'", "\"\\\"text\\\"\"" },
        { "jsonb", "'12345678901234567890.10'", "12345678901234567890.10" },
        { "jsonb", "'false'", "false" },
        { "jsonb", "'[]'", "[]" },
        { "jsonb", "(repeat('[', 200) || repeat(']', 200))", null },
        { "jsonb[]", "ARRAY['[1,2]', 'null', NULL, '{\"a\":1}', '\"s\"', '7']::jsonb[]",
            "[\"[1, 2]\",\"null\",null,{\"a\": 1},\"\\\"s\\\"\",7]" },
        { "int4[]", "'{1,NULL,3}'", "[1,null,3]" },
        { "int4[]", "'{}'", "[]" },
        { "int4[]", "'{{1,2},{3,NULL}}'", "[[1,2],[3,null]]" },
        { "int4[]", "'[0:1]={5,6}'", "\"[0:1]={5,6}\"" },
        { "text[]", "ARRAY['a', 'NULL', NULL, '', 'q\"q', 'b\\s', '{,}', ' sp ']",
            "[\"a\",\"NULL\",null,\"\",\"q\\\"q\",\"b\\\\s\",\"{,}\",\" sp \"]" },
        { "bool[]", "'{t,f,NULL}'", "[true,false,null]" },
        { "numeric[]", "'{NaN,1.10,-Infinity}'", "[\"NaN\",1.10,\"-Infinity\"]" },
        { "timestamptz[]", "'{\"2026-01-31 12:00:00+00\",infinity}'", "[\"2026-01-31 12:00:00+00\",\"infinity\"]" },
        { "int2vector", "'1 2 3'", "\"1 2 3\"" },
        { "int4range", "'[1,5)'", "\"[1,5)\"" },
        { "int4range", "'empty'", "\"empty\"" },
        { "tstzrange", "'[\"2026-01-31 12:00:00+00\",)'", null },
        { "nummultirange", "'{[1.5,2],(7,)}'", "\"{[1.5,2],(7,)}\"" },
        { "int4range[]", "'{\"[1,5)\",NULL}'", "[\"[1,5)\",null]" },
        { "mood", "'so \"so\"'", "\"so \\\"so\\\"\"" },
        { "mood[]", "'{sad,\"Happy, very\"}'", "[\"sad\",\"Happy, very\"]" },
        { "cents", "'12.30'", "12.30" },
        { "euros", "'12.3'", "12.30" },
        { "pair", "'{1,2}'", "[1,2]" },
        { "pair[]", "ARRAY['{1,2}','{3,4}']::pair[]", "[\"{1,2}\",\"{3,4}\"]" },
        { "cents[]", "'{1.00,NULL}'", "[1.00,null]" },
        { "place", "ROW('Main \"St\"', NULL, ARRAY['a,b', NULL])::place", null },
        { "place[]", "ARRAY[ROW('x', 1, '{}')::place, NULL]", null },
        { "floatrange", "'[1.5,2.5]'", "\"[1.5,2.5]\"" },
    };

    [SkippableTheory]
    [MemberData(nameof(Values))]
    public async Task A_value_takes_its_form_and_comes_back_as_it_was(string type, string sql, string? json)
    {
        await using var source = await PrepareAsync();
        await using var connection = await source.OpenConnectionAsync();
        var (resolved, text) = await StoreAsync(connection, type, sql);

        var output = new ArrayBufferWriter<byte>();
        PostgresText.WriteJson(resolved, Encoding.UTF8.GetBytes(text), output);
        var form = Encoding.UTF8.GetString(output.WrittenSpan);
        if (json is not null)
        {
            form.ShouldBe(json);
        }

        var element = Record.FromJson($$"""{"v":{{form}}}""").Root.GetProperty("v");
        (await ReadBackAsync(connection, PostgresText.FromJson(resolved, element))).ShouldBe(text);
    }

    [Fact]
    public void Key_parts_have_the_bytes_of_the_canonical_key()
    {
        foreach (var part in (string[])["6", "a b/c'<>&+", "tab\t\"q\" \\", "é ü 漢字", "\u2028\u0085\u00ad", "😀",
            "\u007f", ""])
        {
            var output = new ArrayBufferWriter<byte>();
            JsonText.WriteKeyPart(Encoding.UTF8.GetBytes(part), output);
            $"[{Encoding.UTF8.GetString(output.WrittenSpan)}]".ShouldBe(RecordKey.Of(part).Json);
        }
    }

    private async Task<NpgsqlDataSource> PrepareAsync()
    {
        var source =
            PostgresSession.CreateDataSource(new NpgsqlConnectionStringBuilder(postgres.Server.ConnectionString));
        await using var command = source.CreateCommand(
            $"DO $$ BEGIN IF to_regtype('mood') IS NULL THEN {Definitions} END IF; END $$");
        await command.ExecuteNonQueryAsync();
        return source;
    }

    private static async Task<(PostgresType Type, string Text)> StoreAsync(
        NpgsqlConnection connection, string type, string sql)
    {
        await using (var create = new NpgsqlCommand(
            $"CREATE TEMP TABLE probe (v {type}); INSERT INTO probe SELECT ({sql})::{type}", connection))
        {
            await create.ExecuteNonQueryAsync();
        }

        var types = new TypeCatalog();
        await using var schema =
            new NpgsqlCommand("SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()", connection);
        var table = await TableCatalog.LoadAsync(
            connection, types, new TableName((string)(await schema.ExecuteScalarAsync())!, "probe"),
                CancellationToken.None);
        return (table!.Columns[0].Type, await TextAsync(connection));
    }

    private static async Task<string> ReadBackAsync(NpgsqlConnection connection, string? parameter)
    {
        await using (var write = new NpgsqlCommand("TRUNCATE probe", connection))
        {
            await write.ExecuteNonQueryAsync();
        }

        await using (var write = new NpgsqlCommand("INSERT INTO probe VALUES ($1)", connection))
        {
            write.Parameters.Add(new NpgsqlParameter
            {
                Value = (object?)parameter ?? DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.Unknown,
            });
            await write.ExecuteNonQueryAsync();
        }

        return await TextAsync(connection);
    }

    private static async Task<string> TextAsync(NpgsqlConnection connection)
    {
        await using var read = new NpgsqlCommand("SELECT v FROM probe", connection) { AllResultTypesAreUnknown = true };
        return (string)(await read.ExecuteScalarAsync())!;
    }
}
