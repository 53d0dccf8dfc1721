using System.Text.Json;
using Duplex.Engine.Schemas;

namespace Duplex.Bench.Schemas;

/// <summary>What it costs to validate a record of ten fields, beside looking at each of its fields.</summary>
internal static class SchemaBench
{
    private const double BudgetNanoseconds = 1_000;
    private const int BatchRecords = 100_000;

    private static readonly byte[] Schema = """
        {
          "type": "object",
          "required": ["id", "email", "name", "status", "created_at"],
          "additionalProperties": false,
          "properties": {
            "id": { "type": "integer", "minimum": 1 },
            "email": { "type": "string", "maxLength": 320 },
            "name": { "type": "string", "minLength": 1, "maxLength": 200 },
            "status": { "enum": ["active", "inactive", "pending"] },
            "currency": { "type": "string", "pattern": "^[A-Z]{3}$" },
            "amount": { "type": "number", "minimum": 0, "multipleOf": 0.01 },
            "verified": { "type": "boolean" },
            "tags": { "type": "array", "items": { "type": "string" }, "maxItems": 10 },
            "address": {
              "type": ["object", "null"],
              "properties": { "city": { "type": "string" }, "zip": { "type": "string", "pattern": "^[0-9]{5}$" } }
            },
            "created_at": { "type": "string", "format": "date-time" }
          }
        }
        """u8.ToArray();

    private static readonly byte[] Record = """
        {"id":48213,"email":"ann.smith@example.com","name":"Ann Smith","status":"active",
        "currency":"EUR","amount":1999.95,"verified":true,"tags":["new","eu"],
        "address":{"city":"Köln","zip":"50667"},"created_at":"2026-11-21T15:02:14Z"}
        """u8.ToArray();

    public static IReadOnlyList<Measurement> Run(BenchOptions options)
    {
        var schema = JsonSchema.Compile(Schema).Schema
            ?? throw new InvalidOperationException("The schema does not compile.");
        var instance = JsonElement.Parse(Record);
        if (!schema.IsValid(instance) || StrictJson.Check(Record) is not null)
            throw new InvalidOperationException("The record is not valid.");
        var (validate, validateBytes) = Measure(options, () => schema.IsValid(instance));
        var (look, _) = Measure(options, () => Look(instance) > 0);
        var (door, doorBytes) = Measure(options, static () => StrictJson.Check(Record) is null);
        var (parse, _) = Measure(options, static () => JsonElement.Parse(Record).ValueKind == JsonValueKind.Object);
        return
        [
            new("Validating a record of ten fields", "ns", validate, look, "looking at each field",
                "below 1,000 ns and without allocating", validate < BudgetNanoseconds && validateBytes == 0,
                new Dictionary<string, double> { ["bytes allocated per record"] = validateBytes }),
            new("Checking the record's text at the door", "ns", door, parse, "parsing it", "below 1,000 ns",
                door < BudgetNanoseconds,
                new Dictionary<string, double> { ["bytes allocated per record"] = doorBytes }),
        ];
    }

    private static (double Nanoseconds, double Bytes) Measure(BenchOptions options, Func<bool> once)
    {
        List<double> rounds = [];
        double bytes = 0;
        // The first half of the rounds is for the compiler.
        for (int round = 0; round < options.Rounds * 2; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            var started = Environment.CpuUsage.TotalTime;
            bool all = true;
            for (int i = 0; i < BatchRecords; i++)
                all &= once();
            // Processor time: others may use the machine meanwhile.
            double elapsed = (Environment.CpuUsage.TotalTime - started).TotalNanoseconds;
            bytes = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / BatchRecords;
            if (!all)
                throw new InvalidOperationException("An answer was wrong.");
            if (round >= options.Rounds)
                rounds.Add(elapsed / BatchRecords);
        }

        return (Statistics.Median(rounds), Math.Round(bytes, 1));
    }

    private static int Look(JsonElement value)
    {
        int count = 1;
        if (value.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in value.EnumerateObject())
                count += Look(member.Value);
        }
        else if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in value.EnumerateArray())
                count += Look(item);
        }

        return count;
    }
}
