import com.fasterxml.jackson.annotation.JsonTypeName;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.errors.OpenAIServiceException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.responses.ResponseCreateParams;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** What openai-java does at a gateway, one line of JSON for each feature. */
public final class Main {
    static final String SAID = "one two three";
    static final ObjectMapper JSON = new ObjectMapper();

    public static final class Trip {
        public String city;
        public int days;
    }

    @JsonTypeName("weather")
    public static final class Weather {
        public String city;
        public int days;
    }

    final String gateway;
    final String key;
    final OpenAIClient client;

    Main(String gateway, String key) {
        this.gateway = gateway;
        this.key = key;
        this.client = clientOf("/v1").build();
    }

    public static void main(String[] words) throws Exception {
        new Main(words[0], words[1]).playAll();
        // The client's threads would keep the process for a while.
        System.exit(0);
    }

    void playAll() throws Exception {
        play("completions", this::complete);
        play("chat", () -> chat("sim-echo", client));
        play("stream", () -> streamed("sim-echo", Integer.MAX_VALUE, new ArrayList<>()));
        play("abort", () -> streamed("sim-stall-2-echo", 2, new ArrayList<>()));
        play("tools", this::runTool);
        play("structured", this::structured);
        play("embeddings", this::embed);
        play("responses", this::respond);
        play("errors", this::raisedByEach);
        play("cut", this::cut);
        play("retries429", () -> chat("limited", client));
        play("retries503", () -> chat("sim-flaky-2-echo", client));
        play("inference", () -> chat("sim-echo", clientOf("/inference").build()));
    }

    static void play(String feature, Callable<Object> scene) throws Exception {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("feature", feature);
        try {
            told.put("seen", scene.call());
        } catch (Exception thrown) {
            told.put("fault", thrown.toString());
        }
        System.out.println(JSON.writeValueAsString(told));
    }

    OpenAIOkHttpClient.Builder clientOf(String path) {
        return OpenAIOkHttpClient.builder().baseUrl(gateway + path).apiKey(key);
    }

    Object complete() {
        var params = CompletionCreateParams.builder().model("sim-echo").prompt(SAID).build();
        return client.completions().create(params).choices().get(0).text();
    }

    ChatCompletionCreateParams.Builder asking(String model) {
        return ChatCompletionCreateParams.builder().model(model).addUserMessage(SAID);
    }

    Object chat(String model, OpenAIClient near) {
        var answer = near.chat().completions().create(asking(model).build());
        return answer.choices().get(0).message().content().orElse(null);
    }

    /** Leaves after so many pieces: closing the stream closes the connection. */
    List<String> streamed(String model, int most, List<String> pieces) {
        try (var stream = client.chat().completions().createStreaming(asking(model).build())) {
            stream.stream()
                .flatMap(chunk -> chunk.choices().stream())
                .flatMap(choice -> choice.delta().content().stream())
                .filter(piece -> !piece.isEmpty())
                .limit(most)
                .forEach(pieces::add);
        }
        return pieces;
    }

    Object runTool() {
        var params = asking("sim-tools-echo").addTool(Weather.class);
        var whole = ChatCompletionAccumulator.create();
        try (var stream = client.chat().completions().createStreaming(params.build())) {
            stream.stream().forEach(whole::accumulate);
        }
        var first = whole.chatCompletion().choices().get(0).message();
        var call = first.toolCalls().orElseThrow().get(0).asFunction();
        var input = call.function().arguments(Weather.class);
        var result = ChatCompletionToolMessageParam.builder().toolCallId(call.id()).content("It rains.");
        params.addMessage(first).addMessage(result.build());
        var second = client.chat().completions().create(params.build());
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("called", call.function().name());
        seen.put("input", input);
        seen.put("answered", second.choices().get(0).message().content().orElse(null));
        return seen;
    }

    Object structured() {
        var params = ChatCompletionCreateParams.builder()
            .model("sim-echo")
            .addUserMessage("{\"city\":\"Paris\",\"days\":2}")
            .responseFormat(Trip.class)
            .build();
        return client.chat().completions().create(params).choices().get(0).message().content().orElse(null);
    }

    Object embed() {
        var texts = List.of("first text", "second text", "third");
        var params = EmbeddingCreateParams.builder().model("sim-echo").inputOfArrayOfStrings(texts).build();
        return client.embeddings().create(params).data().stream().map(each -> each.embedding()).toList();
    }

    Object respond() {
        var params = ResponseCreateParams.builder().model("sim-echo").input(SAID).build();
        var whole = ResponseAccumulator.create();
        try (var stream = client.responses().createStreaming(params)) {
            stream.stream().forEach(whole::accumulate);
        }
        var text = new StringBuilder();
        whole.response().output().stream()
            .flatMap(item -> item.message().stream())
            .flatMap(message -> message.content().stream())
            .flatMap(content -> content.outputText().stream())
            .forEach(part -> text.append(part.text()));
        return text.toString();
    }

    Object raisedByEach() {
        var failing = Map.of(
            "400", "sim-status-400",
            "401", "sim-echo",
            "404", "sim-status-404",
            "429", "sim-ratelimit-1",
            "500", "sim-status-500",
            "503", "sim-status-503");
        Map<String, String> raised = new LinkedHashMap<>();
        failing.forEach((status, model) -> {
            var near = clientOf("/v1").maxRetries(0);
            if (status.equals("401")) near.apiKey("sk-wrong");
            raised.put(status, raisedBy(() -> chat(model, near.build())));
        });
        return raised;
    }

    Object cut() {
        List<String> pieces = new ArrayList<>();
        var raised = raisedBy(() -> streamed("sim-cut-2-echo", Integer.MAX_VALUE, pieces));
        return Map.of("pieces", pieces, "raised", raised);
    }

    /** The class of what is thrown, and the status it tells. */
    static String raisedBy(Callable<Object> ask) {
        try {
            ask.call();
            return "nothing";
        } catch (OpenAIServiceException refused) {
            return refused.getClass().getSimpleName() + " " + refused.statusCode();
        } catch (Exception thrown) {
            return thrown.getClass().getSimpleName();
        }
    }
}
