using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Duplex.EndToEnd.Tests;

/// <summary>How often each member of the stores was called. The calls themselves go to the real ones.</summary>
internal sealed class CallCounts
{
    private readonly ConcurrentDictionary<string, long> _calls = new(StringComparer.Ordinal);

    /// <summary>Called before each call, with its member's name and how often that was called.</summary>
    public Action<string, long>? Before { get; set; }

    /// <summary>
    /// What a call waits for before it goes on, by its member's name and arguments; null when it goes at once. Only
    /// members that return a <see cref="ValueTask{T}"/> can wait.
    /// </summary>
    public Func<string, object?[], Task?>? Hold { get; set; }

    public long Of(string member) => _calls.GetValueOrDefault(member);

    /// <summary>The same object, with its calls counted if counts are given.</summary>
    public static T Count<T>(T target, CallCounts? counts)
        where T : class
    {
        if (counts is null)
        {
            return target;
        }

        var counted = DispatchProxy.Create<T, Counted>();
        ((Counted)(object)counted).Begin(target, counts);
        return counted;
    }

    [SuppressMessage("Performance", "CA1852", Justification = "The proxy is made as a subclass at run time.")]
    internal class Counted : DispatchProxy
    {
        private object? _target;
        private CallCounts? _counts;

        public void Begin(object target, CallCounts counts)
        {
            _target = target;
            _counts = counts;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            var times = _counts!._calls.AddOrUpdate(targetMethod!.Name, 1, static (_, n) => n + 1);
            _counts.Before?.Invoke(targetMethod.Name, times);
            if (_counts.Hold?.Invoke(targetMethod.Name, args ?? []) is { IsCompleted: false } held)
            {
                return typeof(Counted).GetMethod(nameof(LaterAsync), BindingFlags.Instance | BindingFlags.NonPublic)!
                    .MakeGenericMethod(targetMethod.ReturnType.GenericTypeArguments[0])
                    .Invoke(this, [held, targetMethod, args]);
            }

            return targetMethod.Invoke(_target, BindingFlags.DoNotWrapExceptions, null, args, null);
        }

        private async ValueTask<T> LaterAsync<T>(Task held, MethodInfo method, object?[]? args)
        {
            await held;
            return await (ValueTask<T>)method.Invoke(_target, BindingFlags.DoNotWrapExceptions, null, args, null)!;
        }
    }
}
