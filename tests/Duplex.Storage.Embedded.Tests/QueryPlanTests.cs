using System.Reflection;
using Duplex.Storage.Embedded.Sqlite;
using Duplex.Storage.Embedded.State;
using Shouldly;
using Xunit;

namespace Duplex.Storage.Embedded.Tests;

/// <summary>A million rows cost no more than a few: every statement finds its rows by a key or an index.</summary>
public sealed class QueryPlanTests : IDisposable
{
    // Read once at open, or small by nature (the newest rows of a table, a page of it).
    private static readonly string[] Whole =
        ["LoadTopics", "LoadFeeds", "LoadConsumers", "LoadSources", "LoadSyncs", "ListAll", "ListWaiting", "NewestId", "Trim",
            "Tally"];

    private readonly DataDirectory _directory = new();

    public static TheoryData<string, string, string> Statements()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var type in typeof(EmbeddedStateStore).Assembly.GetTypes().Where(static t =>
            t.Namespace is "Duplex.Storage.Embedded.Log" or "Duplex.Storage.Embedded.State"
            or "Duplex.Storage.Embedded.Feeds"))
        {
            foreach (var field in type.GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            {
                if (field is { IsLiteral: true } && field.GetRawConstantValue() is string sql && IsStatement(sql))
                {
                    data.Add(type.Name, field.Name, sql);
                }
            }
        }

        return data;
    }

    public void Dispose() => _directory.Dispose();

    [Theory]
    [MemberData(nameof(Statements))]
    public async Task A_statement_searches_and_does_not_scan(string type, string name, string sql)
    {
        var isLog = type == "LogSql" || type.StartsWith("Block", StringComparison.Ordinal);
        await using (var feeds = await EmbeddedFeedStore.OpenAsync(_directory.Root))
        await using (var log = await EmbeddedChangeLog.OpenAsync(_directory.Root))
        await using (var state = await EmbeddedStateStore.OpenAsync(_directory.Root))
        {
        }

        var file = type == "FeedSql" ? "feed.db" : isLog ? "log.db" : "state.db";
        using var database = Database.OpenReader(_directory.File(file));
        var plan = new List<string>();
        var rows = database.Prepared($"EXPLAIN QUERY PLAN {sql}");
        while (rows.Step())
        {
            plan.Add(rows.Text(3));
        }

        plan.Where(static step => step.StartsWith("SCAN", StringComparison.Ordinal) && !step.Contains("CONSTANT"))
            .Where(_ => !Whole.Contains(name)).ShouldBeEmpty($"{type}.{name}: {string.Join(" | ", plan)}");
    }

    [Fact]
    public void The_statements_are_found()
    {
        Statements().Count.ShouldBeGreaterThan(50);
        StateSql.Tables.ShouldContain("CREATE UNIQUE INDEX");
    }

    private static bool IsStatement(string sql) =>
        sql.StartsWith("SELECT", StringComparison.Ordinal) || sql.StartsWith("DELETE", StringComparison.Ordinal)
        || sql.StartsWith("UPDATE", StringComparison.Ordinal) || sql.StartsWith("INSERT", StringComparison.Ordinal);
}
