"""The Discord bot: commands, what people see, durable jobs and the processes it starts.

The bot process imports neither Keras nor TensorFlow: training and sampling are child processes.
"""
