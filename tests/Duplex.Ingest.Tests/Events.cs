namespace Duplex.Ingest.Tests;

/// <summary>The bodies that posters send.</summary>
internal static class Events
{
    public const string User =
        """{"event_type":"INSERT","table":"users","timestamp":"2025-07-19T10:00:00Z","primary_key":{"id":1}"""
        + ""","after":{"id":1,"name":"Ash Ketchup","email":"ash.ketchup@pokemon.com","created_at":"2025-07-19"""
        + """T10:00:00Z","updated_at":"2025-07-19T10:00:00Z"}}""";

    public const string Ticket =
        """{"event_type":"INSERT","table":"tickets","timestamp":"2025-07-19T09:00:00Z","primary_key":{"ticket_id":"TKT-1001"}"""
        + ""","after":{"ticket_id":"TKT-1001","title":"Task 1","status":"Open","assignee_id":1,"priority":"High"}}""";

    public const string Order =
        """{"event_type":"INSERT","table":"orders","timestamp":"2025-07-19T08:00:00Z","primary_key":{"order_id":"ORD-1001"}"""
        + ""","after":{"order_id":"ORD-1001","user_id":1,"amount":10,"currency":"USD","status":"pending"}}""";

    /// <summary>An insert of a user with an image and further members.</summary>
    public static string Insert(string key, string after = "{}", string more = "") =>
        $$"""{"event_type":"INSERT","table":"users","primary_key":{"id":{{key}}},"after":{{after}}{{more}}}""";
}
