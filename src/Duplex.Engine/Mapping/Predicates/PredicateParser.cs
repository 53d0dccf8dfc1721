using System.Text.Json;
using Duplex.Engine.Config;

namespace Duplex.Engine.Mapping.Predicates;

/// <summary>Builds the expression of a condition. Bounded in length, depth and list size.</summary>
internal sealed class PredicateParser
{
    /// <summary>The longest condition, in characters.</summary>
    public const int LengthMax = 4096;

    /// <summary>The deepest nesting.</summary>
    public const int DepthMax = 32;

    private const int OperandsMax = 256;
    private static readonly string[] Comparisons = ["=", "!=", "<", "<=", ">", ">="];

    private readonly PredicateScanner _scanner;
    private Token _token;
    private int _depth;

    private PredicateParser(string text)
    {
        _scanner = new PredicateScanner(text);
        _token = _scanner.Next();
    }

    /// <summary>The expression of a text.</summary>
    /// <exception cref="PredicateException">The text is no condition.</exception>
    public static Expression Parse(string text)
    {
        if (text.Length > LengthMax)
        {
            throw new PredicateException($"It is longer than {LengthMax} characters.", LengthMax, "Shorten it.");
        }

        var parser = new PredicateParser(text);
        if (parser._token.Kind == TokenKind.End)
        {
            throw new PredicateException("It is empty.", 1,
                "Write a condition such as status != 'draft', or remove it.");
        }

        var expression = parser.Or();
        if (parser._token.Kind != TokenKind.End)
        {
            throw parser.Unexpected("and, or, or the end");
        }

        return expression;
    }

    private Expression Or() => Chain("or", And, static operands => new AnyOf(operands));

    private Expression And() => Chain("and", Not, static operands => new AllOf(operands));

    private Expression Chain(string word, Func<Expression> part, Func<Expression[], Expression> join)
    {
        var first = part();
        if (!IsWord(word))
        {
            return first;
        }

        var operands = new List<Expression> { first };
        while (IsWord(word))
        {
            Take();
            operands.Add(part());
            Limit(operands.Count);
        }

        return join([.. operands]);
    }

    private Expression Not()
    {
        if (!IsWord("not"))
        {
            return Comparison();
        }

        Take();
        Enter();
        var negated = new Negation(Not());
        _depth--;
        return negated;
    }

    private Expression Comparison()
    {
        var left = Operand();
        if (_token.Kind == TokenKind.Symbol && Comparisons.Contains(_token.Text))
        {
            var symbol = Take().Text;
            return new Comparison(symbol, left, Operand());
        }

        if (IsWord("in"))
        {
            Take();
            return new Membership(left, Operand());
        }

        return left;
    }

    private Expression Operand()
    {
        var token = _token;
        switch (token.Kind)
        {
            case TokenKind.Text:
                Take();
                return new Literal(PredicateValue.Of(token.Text));
            case TokenKind.Number:
                Take();
                return new Literal(PredicateValue.Of(JsonElement.Parse(token.Text)));
            case TokenKind.Function:
                return Function();
            case TokenKind.Name when !token.Quoted && token.Text is "true" or "false" or "null":
                Take();
                return new Literal(PredicateValue.Of(JsonElement.Parse(token.Text)));
            case TokenKind.Name when token.Quoted || token.Text is not ("and" or "or" or "in" or "not"):
                return Path();
            case TokenKind.Symbol when token.Text == "(":
                Take();
                Enter();
                var inner = Or();
                Expect(")");
                _depth--;
                return inner;
            case TokenKind.Symbol when token.Text == "[":
                return List();
            default:
                throw Unexpected("a field, a text in quotes, a number or (");
        }
    }

    private Path Path()
    {
        var names = new List<string> { Take().Text };
        while (_token is { Kind: TokenKind.Symbol, Text: "." })
        {
            Take();
            if (_token.Kind != TokenKind.Name)
            {
                throw Unexpected("a name after the dot");
            }

            names.Add(Take().Text);
            Limit(names.Count);
        }

        if (_token is { Kind: TokenKind.Symbol, Text: "[" })
        {
            throw new PredicateException("A path cannot be filtered or indexed here.", _token.Column,
                "Compare a plain path.");
        }

        return new Path([.. names]);
    }

    private ListOf List()
    {
        Enter();
        var items = Arguments("[", "]");
        _depth--;
        return new ListOf(items);
    }

    private Call Function()
    {
        var token = Take();
        if (!PredicateFunctions.All.TryGetValue(token.Text, out var function))
        {
            throw new PredicateException($"There is no function {Section.Shown(token.Text)} here.", token.Column,
                Spelling.Offer(token.Text, [.. PredicateFunctions.All.Keys]));
        }

        Enter();
        var arguments = Arguments("(", ")");
        _depth--;
        if (arguments.Length < function.ArgumentsMin || arguments.Length > function.ArgumentsMax)
        {
            throw new PredicateException($"{token.Text} is given {arguments.Length} arguments.", token.Column,
                function.Usage);
        }

        return new Call(function, arguments);
    }

    private Expression[] Arguments(string open, string close)
    {
        Expect(open);
        var items = new List<Expression>();
        if (_token is not { Kind: TokenKind.Symbol } || _token.Text != close)
        {
            items.Add(Or());
            while (_token is { Kind: TokenKind.Symbol, Text: "," })
            {
                Take();
                items.Add(Or());
                Limit(items.Count);
            }
        }

        Expect(close);
        return [.. items];
    }

    private bool IsWord(string word) => _token is { Kind: TokenKind.Name, Quoted: false } && _token.Text == word;

    private Token Take()
    {
        var token = _token;
        _token = _scanner.Next();
        return token;
    }

    private void Expect(string symbol)
    {
        if (_token.Kind != TokenKind.Symbol || _token.Text != symbol)
        {
            throw Unexpected(symbol);
        }

        Take();
    }

    private void Enter()
    {
        if (++_depth > DepthMax)
        {
            throw new PredicateException($"It nests deeper than {DepthMax} levels.", _token.Column, "Simplify it.");
        }
    }

    private void Limit(int count)
    {
        if (count > OperandsMax)
        {
            throw new PredicateException($"It has more than {OperandsMax} parts in a row.", _token.Column,
                "Simplify it.");
        }
    }

    private PredicateException Unexpected(string wanted)
    {
        var found = _token.Kind == TokenKind.End ? "the end" : Section.Shown(_token.Text);
        return new PredicateException($"{found} stands where {wanted} should.", _token.Column,
            "For example: status != 'draft' and (plan in ['free', 'pro'] or amount > 10)");
    }
}
